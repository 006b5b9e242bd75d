"""``python -m gotask.gateway``: the same as ``gotask gateway``, without the other services."""

import sys

from gotask.gateway.main import main

sys.exit(main(sys.argv[1:]))
