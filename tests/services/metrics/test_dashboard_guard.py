"""A dashboard that strangers reach is not served before a gateway that asks nobody."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from gotask.embedded import free_port
from gotask.gateway.access.caller import Scope
from gotask.metrics.dashboard.guard import Guard, Unguarded
from gotask.metrics.dashboard.serving import Dashboard
from gotask.metrics.settings import MetricsSettings
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.access_support import make_key
from tests.services.gateway.support import gateway
from tests.support.servers import Server


def settings(port: int, **fields: Any) -> MetricsSettings:
    url = f"http://127.0.0.1:{port}"
    return MetricsSettings.load(dashboard_host="0.0.0.0", dashboard_port=free_port(), gateway_url=url, **fields)


async def shown(dashboard: Dashboard) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(dashboard), base_url="http://dashboard") as client:
        return await client.get("/queues")


async def test_it_does_not_start_before_a_gateway_that_asks_nobody(nats: Server) -> None:
    port = free_port()
    dashboard = Dashboard(settings(port))
    async with gateway(nats.address, "open-house", MemoryStorage(), http_port=port):
        with pytest.raises(Unguarded, match=r"GOTASK_DASHBOARD_HOST: 0\.0\.0\.0 .* GOTASK_ALLOW_ANONYMOUS=true"):
            await dashboard.start()
        refused = await shown(dashboard)
    assert (refused.status_code, "asks nobody who they are" in refused.text) == (503, True)


async def test_it_shows_nothing_until_the_gateway_says_that_it_asks(nats: Server, tmp_path: Path) -> None:
    port, keys = free_port(), tmp_path / "keys.json"
    make_key(keys, Scope.READ)
    guarded = settings(port)
    guard = Guard(guarded)
    await guard.look()
    assert not guard.passed
    silent = await shown(Dashboard(guarded))
    assert (silent.status_code, "does not answer yet" in silent.text) == (503, True)
    async with gateway(nats.address, "closed-house", MemoryStorage(), http_port=port, api_keys_file=str(keys)):
        await guard.look()
    assert guard.passed


@pytest.mark.parametrize("fields", [{"dashboard_host": "127.0.0.1"}, {"allow_anonymous": True}])
def test_it_is_free_on_loopback_or_where_that_is_meant(fields: dict[str, Any]) -> None:
    assert Guard(MetricsSettings.load(**{"dashboard_host": "0.0.0.0", **fields})).passed
