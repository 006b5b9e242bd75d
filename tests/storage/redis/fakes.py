"""Servers that say what real ones rarely do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gotask.storage.redis import RedisStorage


@asynccontextmanager
async def answering(line: str) -> AsyncIterator[RedisStorage]:
    """A storage whose server answers every command with *line*, such as ``"+OK\\r\\n"``."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(line.encode() * data.count(b"*"))
            await writer.drain()
        writer.close()

    fake = await asyncio.start_server(serve, "127.0.0.1", 0)
    storage = RedisStorage(f"127.0.0.1:{fake.sockets[0].getsockname()[1]}", "t")
    yield storage
    await storage.close()
    fake.close()
    await fake.wait_closed()
