"""What a worker's process carries."""

import subprocess
import sys

_HEAVY = ("fastapi", "starlette", "uvicorn", "grpc", "redis", "asyncpg")
_SCRIPT = f"""
import sys
import gotask.cli.main, gotask.worker.main, gotask.worker.service, gotask.worker.builtin
import gotask.worker.fleet.run, gotask.worker.pool.child
print([name for name in {_HEAVY!r} if name in sys.modules])
"""


def test_a_worker_imports_neither_a_web_framework_nor_a_storage() -> None:
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
