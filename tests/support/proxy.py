"""A TCP proxy on loopback that holds connections up, or breaks them at the worst moment."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

_CHUNK = 1 << 16


class Proxy:
    """Forwards to a port of loopback; with a TLS context, what comes in over TLS goes on without."""

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._arrives: float | None = None
        self._loses_answer = False
        self._passes = asyncio.Event()
        self._passes.set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuses connections and cuts those there are; it may be started again, on the same port."""
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Ends every connection as a broken cable would, from both sides."""
        for writer in self._writers:
            writer.transport.abort()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing passes meanwhile, and no connection ends: as a network does that is gone for a while."""
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    def cut_next_request(self, arrives: float) -> None:
        """Of the next request only this share, from 0 to 1, reaches the server; then its connection breaks."""
        self._arrives = arrives

    def lose_next_answer(self) -> None:
        """The next request reaches the server whole; its connection breaks when the answer comes."""
        self._loses_answer = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ours = {writer, server_writer}
            self._writers |= ours
            try:
                await asyncio.gather(self._requests(reader, server_writer), self._answers(server_reader, writer))
            finally:
                self._writers -= ours
        for each in {writer, server_writer}:
            each.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._passes.wait()
            arrives, self._arrives = self._arrives, None
            writer.write(data if arrives is None else data[: int(len(data) * arrives)])
            await writer.drain()
            if arrives is not None:
                break
        raise ConnectionResetError

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._passes.wait()
            if self._loses_answer:
                self._loses_answer = False
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


@asynccontextmanager
async def proxy_to(target: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A proxy that runs."""
    proxy = Proxy(target, tls)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
