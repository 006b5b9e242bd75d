"""``python -m gotask.metrics``: the same as ``gotask metrics``, without the other services."""

import sys

from gotask.metrics.main import main

sys.exit(main(sys.argv[1:]))
