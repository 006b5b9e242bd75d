"""Records what this version stores: ``python -m tools.stored``.

Stored jobs of one version are read by the next. So with each release a storage of each kind is filled and recorded
below tests/storage/stored, and later versions are tested with that.
"""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gotask.embedded import free_port, valkey_server
from gotask.storage.contract import Storage
from gotask.storage.memory import MemoryStorage
from gotask.storage.postgres import PostgresAddress, PostgresStorage
from gotask.storage.redis import RedisStorage
from tests.storage.stored.dumps import dump_postgres, dump_redis
from tests.storage.stored.state import NAMESPACE, fill, read
from tests.support.servers import postgres_command, running

_FOLDER = Path(__file__).parent.parent / "tests/storage/stored"


async def _filled(storage: Storage) -> None:
    await storage.open()
    await fill(storage)
    await storage.close()


async def _expected() -> str:
    storage = MemoryStorage()
    await fill(storage)
    return json.dumps(await read(storage), indent=1, ensure_ascii=False) + "\n"


async def _redis() -> str:
    with TemporaryDirectory() as folder, running(valkey_server(Path(folder), free_port())) as server:
        await _filled(RedisStorage(server.address, NAMESPACE))
        return await dump_redis(server.address, "")


async def _postgres() -> str:
    with postgres_command() as command, running(command) as server:
        await _filled(PostgresStorage(PostgresAddress(server.address), NAMESPACE))
        return dump_postgres(server.address, NAMESPACE)


async def main() -> int:
    (_FOLDER / "expected.json").write_text(await _expected())
    (_FOLDER / "redis.json").write_text(await _redis())
    (_FOLDER / "postgres.sql").write_text(await _postgres())
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
