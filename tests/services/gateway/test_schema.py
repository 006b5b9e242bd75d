"""The whole description, tried by schemathesis: what is described is answered, and nothing else is.

``GOTASK_FUZZ_EXAMPLES=200 pytest tests/services/gateway/test_schema.py -s`` tries harder.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

from gotask.gateway.access.caller import Scope
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.access_support import make_key
from tests.services.gateway.support import Door, gateway, metrics, queue_manager, scheduler
from tests.support.servers import Server

EXAMPLES = int(os.environ.get("GOTASK_FUZZ_EXAMPLES", "2"))
# What is within the schema may still be refused: two keys that differ, a lease that is too short for the fleet.
SKIPPED_CHECK = "positive_data_acceptance"


async def test_the_api_does_what_it_says(nats: Server, namespace: str, tmp_path: Path) -> None:
    key_file = tmp_path / "keys.json"
    key = make_key(key_file, *Scope)
    storage = MemoryStorage()
    settings = {"api_keys_file": str(key_file), "audit_file": str(tmp_path / "audit"), "stream_max_age": 0.05}
    async with (
        queue_manager(nats.address, namespace, storage),
        scheduler(nats.address, namespace, storage),
        metrics(nats.address, namespace, storage),
        gateway(nats.address, namespace, storage, **settings) as door,
    ):
        code, told = await run_schemathesis(door, key, tmp_path)
    found = re.search(r"(\d+) generated", told)
    assert code == 0, told[-8_000:]
    assert found
    print(f"schemathesis: {found[0]}")
    assert int(found[1]) > 500


async def run_schemathesis(door: Door, key: str, folder: Path) -> tuple[int | None, str]:
    """Its exit code and what it said."""
    options = [
        f"--max-examples={EXAMPLES}",
        "--checks=all",
        f"--exclude-checks={SKIPPED_CHECK}",
        "--continue-on-failure",
        f"--header=Authorization: Bearer {key}",
        "--seed=1",
        "--no-color",
    ]
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        str(door.http.base_url.join("/openapi.json")),
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode(errors="replace")
