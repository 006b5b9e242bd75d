"""Measures the gateway's doors, every write fsynced: ``python -m tools.bench_gateway``.

Prints how many single jobs, jobs of batches and jobs of gRPC streams one gateway process takes in a second, what each
costs it in CPU time, and beside it the rate of a FastAPI endpoint that does nothing, on the same machine. The jobs go
to a paused queue, so that no worker competes. What loads the gateway runs in this process, on the same machine, too.
"""

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import grpc
import psutil
import uvloop

from gotask import v1
from gotask.embedded import free_port
from gotask.v1.job_service_pb2_grpc import JobServiceStub
from tools.bench import Stack, running_stack

_QUEUE = "bench"
_PAYLOAD = '{"i": 1, "s": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}'
_JOB = f'{{"type": "echo", "queue": "{_QUEUE}", "payload": {_PAYLOAD}}}'
_FRAMES_AHEAD = 32
_EMPTY = """
import uvicorn
from fastapi import FastAPI

app = FastAPI()

@app.post("/jobs", status_code=201)
async def create():
    return {}

uvicorn.run(app, port=PORT, loop="uvloop", http="httptools", access_log=False, log_level="error")
"""


@dataclass(frozen=True)
class Figure:
    """*each* is what was counted, such as a job; *cpu_us* what one cost the server's process."""

    name: str
    each: str
    rate: float
    cpu_us: float


class Connection(asyncio.Protocol):
    """Sends the same request again as soon as it is answered, until *until*."""

    def __init__(self, request: bytes, until: float) -> None:
        self._request = request
        self._until = until
        self._received = b""
        self.answers = 0
        self.refused = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._received.find(b"content-length: ") + 16
        length = int(self._received[start : self._received.find(b"\r\n", start)])
        if len(self._received) < head + 4 + length:
            return
        self.answers += 1
        self.refused += self._received[9:10] != b"2"
        self._received = b""
        if time.monotonic() < self._until:
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def post(url: str, body: str, connections: int, seconds: float) -> int:
    """How many requests were answered in *seconds*."""
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    until = time.monotonic() + seconds
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(
            lambda: Connection(f"{head}{body}".encode(), until), str(parts.hostname), parts.port or 80
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in opened))
    if refused := sum(connection.refused for _, connection in opened):
        raise SystemExit(f"{refused} requests to {url} were refused")
    return sum(connection.answers for _, connection in opened)


async def stream(target: str, batch: int, seconds: float) -> int:
    """How many jobs one stream got acknowledged in *seconds*, sent in frames of *batch*."""
    job = v1.NewJob(spec=v1.JobSpec(type="echo", queue=_QUEUE, payload=_PAYLOAD.encode()))
    until = time.monotonic() + seconds
    room = asyncio.Semaphore(_FRAMES_AHEAD)

    async def frames() -> AsyncIterator[v1.SubmitFrame]:
        for number in itertools.count():
            await room.acquire()
            if time.monotonic() > until:
                return
            yield v1.SubmitFrame(frame=number, jobs=[job] * batch)

    taken = 0
    async with grpc.aio.insecure_channel(target) as channel:
        async for frame in JobServiceStub(channel).SubmitStream(frames()):
            room.release()
            taken += sum(not ack.HasField("status") for ack in frame.acks)
    return taken


async def unary(target: str, calls_at_once: int, seconds: float) -> int:
    """How many calls of one job each were answered in *seconds*."""
    job = v1.NewJob(spec=v1.JobSpec(type="echo", queue=_QUEUE, payload=_PAYLOAD.encode()))
    until = time.monotonic() + seconds
    answered = 0
    async with grpc.aio.insecure_channel(target) as channel:
        service = JobServiceStub(channel)

        async def call_again() -> None:
            nonlocal answered
            while time.monotonic() < until:
                await service.SubmitJob(job)
                answered += 1

        await asyncio.gather(*(call_again() for _ in range(calls_at_once)))
    return answered


async def measured(
    name: str, each: str, server: psutil.Process, work: Callable[[float], Awaitable[int]], seconds: float, per: int = 1
) -> Figure:
    """Does *work* for a moment to warm up, then for *seconds*; each of its units counts as *per*."""
    await work(min(seconds / 4, 0.5))
    before, began = sum(server.cpu_times()[:2]), time.monotonic()
    count = await work(seconds) * per
    elapsed, spent = time.monotonic() - began, sum(server.cpu_times()[:2]) - before
    return Figure(name, each, count / elapsed, spent * 1e6 / count)


@contextmanager
def empty_endpoint() -> Iterator[tuple[psutil.Process, str]]:
    """A process that serves it, and its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _EMPTY.replace("PORT", str(port))])
    url = f"http://127.0.0.1:{port}/jobs"
    try:
        end = time.monotonic() + 20
        while not _answers(url):
            if time.monotonic() > end:
                raise SystemExit("the empty endpoint did not answer")
            time.sleep(0.05)
        yield psutil.Process(process.pid), url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urlopen(Request(url, b"", method="POST"), timeout=5):
            return True
    except OSError:
        return False


def _pause(stack: Stack) -> None:
    for path, body in (("/queues", {"name": _QUEUE}), (f"/queues/{_QUEUE}/pause", None)):
        data = b"" if body is None else json.dumps(body).encode()
        urlopen(Request(f"{stack.api}{path}", data, method="POST"), timeout=10).close()


async def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures, the empty endpoint's first."""
    seconds, connections = options.seconds, options.connections
    figures = []
    with empty_endpoint() as (process, url):
        figures.append(
            await measured(
                "empty FastAPI endpoint", "request", process, lambda s: post(url, _JOB, connections, s), seconds
            )
        )
    with running_stack("redis", 1) as stack:
        _pause(stack)
        server = stack.named("gateway")
        batch = f'{{"jobs": [{", ".join([_JOB] * options.batch)}]}}'
        for name, work, per in (
            ("POST /jobs", lambda s: post(f"{stack.api}/jobs", _JOB, connections, s), 1),
            (
                f"POST /jobs/batch of {options.batch}",
                lambda s: post(f"{stack.api}/jobs/batch", batch, 4, s),
                options.batch,
            ),
            ("SubmitJob", lambda s: unary(stack.grpc, connections, s), 1),
            ("SubmitStream, frames of 1", lambda s: stream(stack.grpc, 1, s), 1),
            (f"SubmitStream, frames of {options.frame}", lambda s: stream(stack.grpc, options.frame, s), 1),
        ):
            figures.append(await measured(name, "job", server, work, seconds, per))
    return figures


def show(figures: list[Figure]) -> None:
    print(f"  {'one gateway process':<32} {'per second':>10} {'CPU us each':>12}")
    for figure in figures:
        print(f"  {figure.name:<32} {figure.rate:10.0f} {figure.cpu_us:12.1f}")
    empty, single = figures[0], figures[1]
    print(
        f"  POST /jobs beside the empty endpoint: {single.rate / empty.rate:.2f} of its rate, "
        f"{empty.cpu_us / single.cpu_us:.2f} of it by CPU time"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4, help="how long each is measured")
    parser.add_argument("--connections", type=int, default=256, help="HTTP connections, and calls at once")
    parser.add_argument("--batch", type=int, default=500, help="jobs of an HTTP batch")
    parser.add_argument("--frame", type=int, default=100, help="jobs of a frame")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = uvloop.run(measure(options))
    if options.json:
        print(json.dumps([vars(figure) for figure in figures]))
    else:
        show(figures)


if __name__ == "__main__":
    main()
