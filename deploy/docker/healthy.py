"""Exits 0 when the service of this container is ready: it has its broker and its storage."""

import os
import sys
import urllib.error
import urllib.request

_TIMEOUT_S = 2.0

try:
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['GOTASK_HEALTH_PORT']}/ready", timeout=_TIMEOUT_S):
        sys.exit(0)
except urllib.error.HTTPError as error:
    sys.exit(f"not ready: {error.read().decode(errors='replace')}")
except OSError as error:
    sys.exit(f"no answer: {error}")
