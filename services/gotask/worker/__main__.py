"""``python -m gotask.worker``: the same as ``gotask worker``, without the other services."""

import sys

from gotask.worker.main import main

sys.exit(main(sys.argv[1:]))
