"""``python -m gotask.scheduler``: the same as ``gotask scheduler``, without the other services."""

import sys

from gotask.scheduler.main import main

sys.exit(main(sys.argv[1:]))
