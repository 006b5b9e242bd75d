"""A client whose broker or gateway goes away and comes back: clear errors, and in time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from gotask.embedded import free_port
from gotask.sdk import App, Client, SyncClient
from gotask.sdk.errors import Unavailable
from tests.sdk.client.conftest import Place
from tests.support.proxy import Proxy, proxy_to
from tests.support.waiting import wait_until

_TIMEOUT_S = 1.0
_DEADLINE_S = 25.0


@pytest.fixture
async def proxy(place: Place) -> AsyncIterator[Proxy]:
    port = urlsplit(place.url).port
    assert port is not None
    async with proxy_to(port) as opened:
        yield opened


@pytest.fixture
def away(place: Place, proxy: Proxy) -> Place:
    """Where the client finds GoTask: behind the proxy."""
    return replace(place, url=f"{urlsplit(place.url).scheme}://127.0.0.1:{proxy.port}")


@pytest.fixture
async def client(away: Place) -> AsyncIterator[Client]:
    opened = Client(away.url, namespace=away.namespace, timeout=_TIMEOUT_S)
    await wait_until(lambda: _works(opened.connect), "it connects", _DEADLINE_S)
    yield opened
    async with asyncio.timeout(_DEADLINE_S):
        await opened.close()


async def _works(call: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await call()
    except Unavailable:
        return False
    return True


async def _fails_in_time(*calls: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(_DEADLINE_S):
        told = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * len(calls), told
    assert all(str(each) for each in told)


async def test_calls_fail_clearly_while_it_is_gone_and_work_when_it_is_back(client: Client, proxy: Proxy) -> None:
    job = await client.submit("nobody-knows")
    await proxy.stop()
    await _fails_in_time(
        lambda: client.submit("nobody-knows"),
        lambda: client.get(job.id),
        lambda: job.wait(timeout="30s"),
        client.list,
        lambda: client.cancel(job.id),
        client.queues.list,
        client.schedules.list,
        lambda: client.dead.list("default"),
        lambda: client.dead.retry("default"),
        lambda: anext(client.watch(job.id)),
    )
    await proxy.start()
    await wait_until(lambda: _works(lambda: client.get(job.id)), "it is back", _DEADLINE_S)
    assert (await client.submit("nobody-knows")).job.type == "nobody-knows"


async def test_a_network_that_goes_silent_holds_nobody_up(client: Client, proxy: Proxy) -> None:
    job = await client.submit("nobody-knows")
    with proxy.held():
        await _fails_in_time(lambda: client.get(job.id), lambda: client.submit("nobody-knows"), client.queues.list)
    await wait_until(lambda: _works(lambda: client.get(job.id)), "it is back", _DEADLINE_S)


async def test_who_waits_goes_on_waiting_over_a_short_outage(away: Place, proxy: Proxy) -> None:
    app, gate = App(), asyncio.Event()

    @app.job("wait-for-gate")
    async def wait_for_gate() -> str:
        await gate.wait()
        return "open"

    await away.start_worker(app)
    patient = Client(away.url, namespace=away.namespace, timeout="20s")
    try:
        job = await patient.submit(wait_for_gate.job())
        result = asyncio.create_task(job.result(timeout="60s"))
        await wait_until(lambda: _is_running(patient, job.id), "it runs", _DEADLINE_S)
        proxy.cut()
        gate.set()
        assert await result == "open"
    finally:
        gate.set()
        await patient.close()


async def _is_running(client: Client, job_id: str) -> bool:
    return (await client.get(job_id)).status == "running"


async def test_an_address_where_nobody_is_is_named(place: Place) -> None:
    address = f"127.0.0.1:{free_port()}"
    nowhere = Client(f"{urlsplit(place.url).scheme}://{address}", timeout=0.3)
    try:
        async with asyncio.timeout(_DEADLINE_S):
            with pytest.raises(Unavailable, match=f"{address} within 0.3 s"):
                await nowhere.submit("echo")
            with pytest.raises(Unavailable, match=f"{address} within 0.3 s"):
                await nowhere.connect()
    finally:
        await nowhere.close()


async def test_the_synchronous_client_comes_back_too(away: Place, proxy: Proxy) -> None:
    client = SyncClient(away.url, namespace=away.namespace, timeout=_TIMEOUT_S)
    try:
        job = await asyncio.to_thread(client.submit, "nobody-knows")
        await proxy.stop()
        await _fails_in_time(
            lambda: asyncio.to_thread(client.get, job.id),
            lambda: asyncio.to_thread(client.submit, "nobody-knows"),
            lambda: asyncio.to_thread(job.result, "30s"),
        )
        await proxy.start()
        await wait_until(lambda: _works(lambda: asyncio.to_thread(client.get, job.id)), "it is back", _DEADLINE_S)
    finally:
        async with asyncio.timeout(_DEADLINE_S):
            await asyncio.to_thread(client.close)
