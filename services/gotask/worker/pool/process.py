"""A child of the pool, as its worker sees it."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from gotask import v1
from gotask.sdk.errors import ProcessCrashed
from gotask.worker.interpreter import python_command
from gotask.worker.pool.frames import Done, Kind, Order, encode_frame, read_frame

_START_S = 60.0
_LAST_WORDS_S = 0.5


class ChildSettings(NamedTuple):
    """What a child needs to know: where the handlers are, as module:attribute, and how to log."""

    places: Sequence[str]
    log_level: str
    log_format: str


class ChildProcess:
    """A process that runs one job at a time. Make one with :meth:`start`."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._exit = asyncio.create_task(self._watch_exit())
        self.jobs = 0
        """How many it has been given."""

    @classmethod
    async def start(cls, settings: ChildSettings) -> "ChildProcess":
        """Returns when the child takes jobs; ProcessCrashed says why it does not."""
        ours, theirs = socket.socketpair()
        arguments = [str(theirs.fileno()), str(os.getpid()), orjson.dumps(settings._asdict()).decode()]
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *python_command("gotask.worker.pool.child", "main", arguments),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        child = cls(process, *await asyncio.open_unix_connection(sock=ours))
        try:
            await asyncio.wait_for(child._ready(), _START_S)
        except BaseException:
            child.kill()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def run(self, order: Order, report: Callable[[str, v1.Progress], None]) -> Done:
        """Runs a job; ProcessCrashed when the child ends meanwhile. When the caller is cancelled, the child is of no
        use any more: :meth:`end` it."""
        self.jobs += 1
        self._writer.write(encode_frame(Kind.RUN, order.encode()))
        while True:
            kind, body = await self._read()
            if kind is Kind.DONE:
                return Done.decode(body)
            progress = v1.JobProgress.FromString(body)
            if progress.job_id == order.spec.id:
                report(progress.job_id, progress.progress)

    async def end(self, patience_s: float) -> None:
        """Interrupts the job that runs, if there is one, lets the child exit, and kills it and all that it has started
        when that takes longer than *patience_s* seconds."""
        with contextlib.suppress(OSError):
            self._writer.write(encode_frame(Kind.CANCEL) + encode_frame(Kind.EXIT))
        await asyncio.wait([self._exit], timeout=patience_s)
        self.kill()
        await self._exit
        self._writer.close()

    def kill(self) -> None:
        """Ends it and its own children at once."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _ready(self) -> None:
        kind, body = await self._read()
        if kind is not Kind.READY:
            raise ProcessCrashed(f"a process of the pool could not load the handlers:\n{body.decode()}")

    async def _read(self) -> tuple[Kind, bytes]:
        try:
            return await read_frame(self._reader)
        except EOFError:
            self.kill()
            await self._exit
            raise ProcessCrashed(_how_it_ended(self._process.returncode or 0)) from None

    async def _watch_exit(self) -> None:
        """What the child has started may hold its end of the socket open; its own exit ends the reading, too."""
        await self._process.wait()
        asyncio.get_running_loop().call_later(_LAST_WORDS_S, self._writer.close)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"the process of the handler exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; perhaps the system ran out of memory" if -code == signal.SIGKILL else ""
    return f"the process of the handler was ended by {name}{hint}"
