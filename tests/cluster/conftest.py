"""A stack as in production for all tests here: three brokers, storage with replicas and a Sentinel, five services."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gotask.storage.redis import RedisStorage
from tests.cluster.brokers import Brokers, running_brokers
from tests.cluster.fleet import Services, running_services
from tests.storage.redis.fleet import Fleet, running_fleet


@pytest.fixture(scope="package")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    with running_brokers(tmp_path_factory.mktemp("brokers")) as running:
        yield running


@pytest.fixture(scope="package")
def valkeys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running_fleet(tmp_path_factory.mktemp("valkeys"), down_after_ms=1_500) as running:
        running.wait_in_step()
        yield running


@pytest.fixture(scope="package")
def services(tmp_path_factory: pytest.TempPathFactory, brokers: Brokers, valkeys: Fleet) -> Iterator[Services]:
    """Each as the user of its own that it is in production."""
    settings = {"GOTASK_REDIS_ADDR": valkeys.address(), "GOTASK_STREAM_REPLICAS": "3"}
    with running_services(tmp_path_factory.mktemp("services"), brokers.settings_of, settings) as running:
        yield running


@pytest.fixture
async def storage(valkeys: Fleet) -> AsyncIterator[RedisStorage]:
    opened = RedisStorage(valkeys.address(), "gotask")
    yield opened
    await opened.close()
