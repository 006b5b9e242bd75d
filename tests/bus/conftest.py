"""Connections to the test's broker."""

from collections.abc import AsyncIterator

import pytest

from gotask.bus.bus import Bus
from gotask.service.settings import ServiceSettings
from tests.support.servers import Server, ServerProcess


@pytest.fixture
async def bus(nats: Server, namespace: str) -> AsyncIterator[Bus]:
    """A connection to the shared broker, in a namespace of its own."""
    opened = await Bus.open(ServiceSettings.load(nats_url=nats.address, namespace=namespace), "test")
    yield opened
    await opened.close()


@pytest.fixture
async def own_bus(own_nats: ServerProcess) -> AsyncIterator[Bus]:
    """A connection to a broker that the test may kill."""
    opened = await Bus.open(ServiceSettings.load(nats_url=own_nats.address), "test")
    yield opened
    await opened.close()
