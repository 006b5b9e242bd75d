"""Where the dashboard is not, counting goes on; and what it makes of events and figures."""

import importlib.util
from typing import Any

import pytest
import structlog

from gotask.embedded import free_port
from gotask.metrics.dashboard.changes import Change, Subscription, change_in
from gotask.metrics.dashboard.history import History
from gotask.metrics.dashboard.serving import Dashboard
from gotask.metrics.settings import MetricsSettings
from gotask.service.http import HttpServer, health_app


async def nothing_missing() -> list[str]:
    return []


async def test_where_it_is_not_installed_the_log_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with structlog.testing.capture_logs() as logs:
        dashboard = Dashboard(MetricsSettings.load(dashboard_port=free_port()))
        await dashboard.start()
        await dashboard.stop()
    assert logs[0]["install"] == "pip install 'gotask[dashboard]'"


async def test_a_port_that_is_taken_is_told_with_the_setting_to_change() -> None:
    port = free_port()
    other = HttpServer(health_app(nothing_missing, {}), "127.0.0.1", port)
    await other.start()
    try:
        with structlog.testing.capture_logs() as logs:
            dashboard = Dashboard(MetricsSettings.load(dashboard_port=port))
            await dashboard.start()
            await dashboard.stop()
    finally:
        await other.stop()
    assert (logs[0]["log_level"], logs[0]["setting"]) == ("error", "GOTASK_DASHBOARD_PORT")


async def test_changes_gather_until_somebody_looks() -> None:
    subscription = Subscription()
    subscription.tell(change_in(b'data: {"kind":"created","job_id":"one","queue":"mail","type":null}\n\n'))
    subscription.tell(change_in(b'data: {"kind":"started","job_id":"two","queue":"post"}\n\n'))
    change = await subscription.take()
    assert (change.jobs, change.queues, change.everything) == ({"one", "two"}, {"mail", "post"}, False)
    subscription.tell(Change(everything=True))
    assert (await subscription.take()).of_job("any")


def figures(created: int, succeeded: int, dead: int) -> dict[str, Any]:
    quantiles = {"p50": 0.1, "p95": 0.2, "p99": None}
    return {
        "jobs": {"created": created, "retried": 0, "success": succeeded, "dead": dead},
        "last_minute": {"wait_seconds": quantiles, "run_seconds": quantiles},
        "queues": {"mail": {"pending": 3, "running": 1, "scheduled": 2, "retrying": 1, "dead": dead}, "gone": {}},
    }


def test_rates_are_the_difference_of_two_looks() -> None:
    history = History()
    history.add(figures(created=10, succeeded=5, dead=0), at_s=100.0)
    history.add(figures(created=30, succeeded=13, dead=2), at_s=102.0)
    history.add({}, at_s=103.0)
    first, last = history.samples
    assert (first.created_rate, first.pending, first.later) == (0.0, 3, 3)
    assert (last.created_rate, last.ended_rate, last.failed_rate) == (10.0, 5.0, 1.0)
