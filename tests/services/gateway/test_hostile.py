"""A thousand hostile requests: each is told what is wrong with it, nobody else notices, and no memory is lost."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from gotask.embedded import free_port
from tests.services.gateway import hostile
from tests.services.gateway.support import API
from tests.support.servers import Server
from tests.support.stack import ServiceProcess

REQUESTS = 1_000
SLOW = 40
AT_ONCE = 16
MAX_GROWTH_BYTES = 24 << 20


@pytest.fixture
def port(nats: Server, valkey: Server, tmp_path: Path) -> Iterator[int]:
    """Of a gateway that is a process of its own, so that its memory can be looked at; so is the queue-manager."""
    http_port = free_port()
    environment = {
        "GOTASK_NAMESPACE": "hostile",
        "GOTASK_NATS_URL": nats.address,
        "GOTASK_REDIS_ADDR": valkey.address,
        "GOTASK_HTTP_PORT": str(http_port),
        "GOTASK_GRPC_PORT": "0",
        "GOTASK_REQUEST_TIMEOUT": "1s",
    }
    services = [
        ServiceProcess(name, [], environment, tmp_path / f"{name}.log") for name in ("queue-manager", "gateway")
    ]
    for service in services:
        service.start()
    try:
        for service in services:
            service.wait_ready()
        yield http_port
    finally:
        for service in services:
            service.kill()


async def answer(port: int, pieces: hostile.Request) -> tuple[int, bytes]:
    """Status and body. What the server does not want to read any more need not be sent to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await asyncio.wait_for(reader.readexactly(int(length.split(b":")[1])), 30)
        return int(head.split()[1]), body
    finally:
        sending.cancel()
        await asyncio.wait((sending,))
        writer.close()


async def attack(port: int, requests: Iterable[tuple[str, hostile.Request]], at_once: int) -> Counter[str]:
    """How many were answered, by kind and status."""
    found: Counter[str] = Counter()
    left = iter(requests)

    async def one_after_the_other() -> None:
        for kind, pieces in left:
            status, body = await answer(port, pieces)
            assert 400 <= status < 500, (kind, status, body[:300], pieces[0][:300])
            assert orjson.loads(body)["detail"], kind
            found[f"{kind} {status}"] += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return found


async def honest(port: int, stop: asyncio.Event) -> int:
    """Submits jobs and looks at them until *stop*; how many."""
    count = 0
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{API}", timeout=30) as http:
        while not stop.is_set():
            made = await http.post("/jobs", json={"type": "echo"})
            assert made.status_code == 201, made.text
            assert (await http.get(f"/jobs/{made.json()['id']}")).status_code == 200
            count += 1
    return count


async def test_a_thousand_hostile_requests(port: int) -> None:
    stop = asyncio.Event()
    others = asyncio.create_task(honest(port, stop))
    process = next(each for each in psutil.Process().children() if _serves(each, port))
    await attack(port, hostile.requests(REQUESTS // 4, seed=1), AT_ONCE)
    before = process.memory_info().rss
    found = await attack(port, hostile.requests(REQUESTS, seed=2), AT_ONCE)
    found += await attack(port, hostile.slow(SLOW), SLOW)
    growth = process.memory_info().rss - before
    stop.set()
    served = await others
    assert found.total() == REQUESTS + SLOW
    assert found["slow 408"] == SLOW
    print(
        f"{found.total()} hostile requests answered, {served} jobs of others meanwhile, {growth / 2**20:.1f} MiB more"
    )
    assert served
    assert growth < MAX_GROWTH_BYTES


def _serves(process: psutil.Process, port: int) -> bool:
    try:
        return any(each.laddr.port == port and each.status == "LISTEN" for each in process.net_connections())
    except psutil.Error:
        return False
