"""``python -m gotask.queue_manager``: the same as ``gotask queue-manager``, without the other services."""

import sys

from gotask.queue_manager.main import main

sys.exit(main(sys.argv[1:]))
