"""Schedulers that know of each other: each job has one that sees to it."""

from collections.abc import AsyncIterator

import pytest

from gotask.bus.bus import Bus
from gotask.jobs.ids import new_id
from gotask.scheduler.peers import Peers
from gotask.service.settings import ServiceSettings
from tests.services.scheduler.world import SECOND, MovingClock
from tests.support.servers import Server
from tests.support.waiting import wait_until

JOBS = [new_id() for _ in range(300)]


@pytest.fixture
async def buses(nats: Server, namespace: str) -> AsyncIterator[list[Bus]]:
    settings = ServiceSettings.load(nats_url=nats.address, namespace=namespace)
    opened = [await Bus.open(settings, "scheduler") for _ in range(3)]
    yield opened
    for bus in opened:
        await bus.close()


def _shares(peers: list[Peers]) -> list[int]:
    return [sum(map(one.is_mine, JOBS)) for one in peers]


async def _is_shared(peers: list[Peers]) -> None:
    await wait_until(
        lambda: all(sum(one.is_mine(job) for one in peers) == 1 for job in JOBS),
        f"each job has one of {len(peers)} schedulers",
    )


async def test_jobs_are_shared_evenly_and_anew_when_one_comes_or_leaves(buses: list[Bus]) -> None:
    clock = MovingClock(SECOND)
    first, second, third = (Peers(bus, clock) for bus in buses)
    assert _shares([first]) == [len(JOBS)]
    await first.start()
    await second.start()
    await _is_shared([first, second])
    await third.start()
    await _is_shared([first, second, third])
    assert min(_shares([first, second, third])) > len(JOBS) // 6
    await third.stop()
    await _is_shared([first, second])
    await second.stop()
    await _is_shared([first])
    await first.stop()


async def test_one_that_is_not_heard_any_more_is_gone(buses: list[Bus]) -> None:
    clock = MovingClock(SECOND)
    first, second = (Peers(bus, clock) for bus in buses[:2])
    await first.start()
    await second.start()
    await _is_shared([first, second])
    await buses[1].close()
    clock.true_us += 4 * SECOND
    await _is_shared([first])
    await first.stop()


async def test_a_message_that_is_none_is_ignored(buses: list[Bus]) -> None:
    first, second = (Peers(bus, MovingClock(SECOND)) for bus in buses[:2])
    await first.start()
    await buses[1].publish(buses[1].subjects.schedulers, b"\xff")
    await second.start()
    await _is_shared([first, second])
    await first.stop()
    await second.stop()
