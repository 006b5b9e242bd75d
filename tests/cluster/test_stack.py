"""What an operator does, and what befalls him, while jobs keep coming: nothing accepted is lost, nothing gets stuck."""

import asyncio

import pytest

from gotask.storage.contract import Storage
from tests.cluster.brokers import Brokers
from tests.cluster.fleet import Services
from tests.cluster.load import Load, check_all_ended, flows
from tests.storage.redis.fleet import Fleet
from tests.support.stack import SERVICES
from tests.support.waiting import wait_until_blocking


@pytest.mark.timeout(240)
async def test_all_services_are_replaced_one_by_one(services: Services, storage: Storage) -> None:
    load = Load(services)
    with load.coming():
        await flows(load, storage)
        for name in SERVICES:
            assert await asyncio.to_thread(services.replace, name) == 0, name
            await flows(load, storage)
    await check_all_ended(load, storage, services)


@pytest.mark.timeout(240)
async def test_each_broker_is_killed_in_turn_and_comes_back(
    services: Services, storage: Storage, brokers: Brokers
) -> None:
    load = Load(services)
    with load.coming():
        for node in brokers.nodes:
            await asyncio.to_thread(node.server.kill)
            await flows(load, storage)
            await asyncio.to_thread(node.server.start)
            await asyncio.to_thread(brokers.wait_current)
        await flows(load, storage)
    await check_all_ended(load, storage, services)


async def test_the_storage_fails_over(services: Services, storage: Storage, valkeys: Fleet) -> None:
    load = Load(services)
    with load.coming():
        await flows(load, storage)
        old = valkeys.master()
        await asyncio.to_thread(old.kill)
        await asyncio.to_thread(wait_until_blocking, lambda: valkeys.master() is not old, "another is master")
        await flows(load, storage)
        await asyncio.to_thread(old.start)
        await flows(load, storage)
    await check_all_ended(load, storage, services)


def test_no_service_lacked_a_right_for_all_that(brokers: Brokers, services: Services) -> None:
    assert {name: refused for name in SERVICES if (refused := brokers.violations(name))} == {}
