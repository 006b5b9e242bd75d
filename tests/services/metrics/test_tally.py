"""The tally: what events mean, windows, and bounds."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gotask import v1
from gotask.metrics.exporter import Exporter
from gotask.metrics.figures import figures
from gotask.metrics.gauges import Gauges
from gotask.metrics.histogram import BOUNDS_S, Histogram
from gotask.metrics.labels import Labels, Room
from gotask.metrics.settings import MetricsSettings
from gotask.metrics.tally import Tally
from gotask.storage.memory import MemoryStorage
from tests.services.metrics.support import events

SECOND_US = 1_000_000
NOON_US = 1_800_000_000 * SECOND_US


class FixedClock:
    def __init__(self) -> None:
        self.us = NOON_US

    def now_us(self) -> int:
        return self.us


class Shown:
    """A tally, and its pages."""

    def __init__(self, **settings: Any) -> None:
        self.clock = FixedClock()
        self.tally = Tally(MetricsSettings.load(**settings))
        self.gauges = Gauges(MemoryStorage(), self.clock, 1)
        self._registry = CollectorRegistry()
        self._registry.register(Exporter(self.tally, self.gauges, self.clock, lambda: 0))

    def record(self, kind: v1.EventKind.ValueType, jobs: int = 1, ago_s: float = 0, **fields: Any) -> None:
        at_us = self.clock.us - round(ago_s * SECOND_US)
        self.tally.record(events(kind, jobs, at_us=at_us, **fields), self.clock.us)

    @property
    def text(self) -> str:
        return generate_latest(self._registry).decode()

    @property
    def json(self) -> dict[str, Any]:
        return figures(self.tally, self.gauges, self.clock.us, 1.0)


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_a_jobs_life_is_counted_under_the_contracts_names(shown: Shown) -> None:
    shown.record(v1.EVENT_KIND_CREATED, 2)
    shown.record(v1.EVENT_KIND_STARTED, 2, type="", wait_us=[500, 20_000_000])
    shown.record(v1.EVENT_KIND_RETRYING, worker="w1", run_us=[1_500])
    shown.record(v1.EVENT_KIND_SUCCEEDED, worker="w1", run_us=[3_000_000])
    shown.record(v1.EVENT_KIND_DEAD, worker="w2", run_us=[20_000 * SECOND_US])
    shown.record(v1.EVENT_KIND_STALE, worker="w2")
    for line in (
        'taskqueue_jobs_created_total{queue="default",type="echo"} 2.0',
        'taskqueue_jobs_completed_total{queue="default",status="success"} 1.0',
        'taskqueue_jobs_completed_total{queue="default",status="dead"} 1.0',
        'taskqueue_jobs_failed_total{queue="default",type="echo"} 2.0',
        'taskqueue_jobs_retried_total{queue="default"} 1.0',
        'taskqueue_results_stale_total{queue="default"} 1.0',
        'taskqueue_worker_jobs_total{status="completed",worker_id="w1"} 1.0',
        'taskqueue_worker_jobs_total{status="failed",worker_id="w2"} 1.0',
        'taskqueue_job_wait_seconds_bucket{le="0.001",queue="default"} 1.0',
        'taskqueue_job_wait_seconds_bucket{le="30.0",queue="default"} 2.0',
        'taskqueue_job_duration_seconds_bucket{le="0.001",queue="default",type="echo"} 0.0',
        'taskqueue_job_duration_seconds_bucket{le="0.0025",queue="default",type="echo"} 1.0',
        'taskqueue_job_duration_seconds_bucket{le="14400.0",queue="default",type="echo"} 2.0',
        'taskqueue_job_duration_seconds_bucket{le="+Inf",queue="default",type="echo"} 3.0',
        'taskqueue_job_duration_seconds_sum{queue="default",type="echo"} 20003.0015',
        "taskqueue_system_uptime_seconds 0.0",
    ):
        assert f"{line}\n" in shown.text


def test_windows_end_and_totals_do_not(shown: Shown) -> None:
    shown.record(v1.EVENT_KIND_CREATED, 60, ago_s=30)
    shown.record(v1.EVENT_KIND_CREATED, 600, ago_s=1_800)
    shown.record(v1.EVENT_KIND_CREATED, 6_000, ago_s=80_000)
    shown.record(v1.EVENT_KIND_CREATED, 60_000, ago_s=100_000)
    counts = {name: window.merged(shown.clock.us / 1e6).created.total() for name, window in _settled(shown).items()}
    assert counts == {"last_minute": 60, "last_hour": 660, "last_day": 6_660}
    shown.clock.us += 60 * SECOND_US
    counts = {name: window.merged(shown.clock.us / 1e6).created.total() for name, window in _settled(shown).items()}
    assert counts == {"last_minute": 0, "last_hour": 660, "last_day": 6_660}
    assert shown.json["jobs"]["created"] == 66_660
    assert shown.json["queues"]["default"]["last_hour"]["created_per_second"] == pytest.approx(660 / 3_600, rel=0.02)


def _settled(shown: Shown) -> dict[str, Any]:
    shown.tally.settle(shown.clock.us)
    return shown.tally.windows


def test_percentiles_are_told_per_queue_and_type(shown: Shown) -> None:
    shown.record(v1.EVENT_KIND_STARTED, 100, type="", wait_us=[800] * 99 + [4_000_000])
    shown.record(v1.EVENT_KIND_SUCCEEDED, 2, worker="w", run_us=[2_000, 2_000])
    shown.record(v1.EVENT_KIND_SUCCEEDED, 2, worker="w", type="slow", run_us=[50 * SECOND_US, 50 * SECOND_US])
    queue = shown.json["queues"]["default"]
    for window in ("last_minute", "last_hour", "last_day"):
        assert queue[window]["wait_seconds"]["p50"] <= 0.001
        assert queue["types"]["echo"][window]["run_seconds"]["p99"] <= 0.0025
        assert 30 < queue["types"]["slow"][window]["run_seconds"]["p50"] <= 60
        assert queue["types"]["slow"][window]["attempts_per_second"] > 0
    assert queue["totals"] == {"created": 0, "retried": 0, "success": 4}
    assert queue["types"]["slow"]["totals"] == {"created": 0, "attempts": 2, "failed_attempts": 0}


def test_a_percentile_of_nothing_is_none_and_beyond_the_last_bound_it_is_that_bound() -> None:
    histogram = Histogram()
    assert histogram.quantile_s(0.5) is None
    histogram.observe([-5])
    assert histogram.quantile_s(1) == BOUNDS_S[0]
    assert histogram.sum_us == 0
    histogram.observe([10**12])
    assert histogram.quantile_s(0.99) == BOUNDS_S[-1]


def test_a_hostile_client_makes_no_series_without_end() -> None:
    shown = Shown(metrics_max_types=3, metrics_max_series=5, metrics_max_queues=2, metrics_max_workers=2)
    for queue in range(10):
        for job_type in range(10):
            fields: dict[str, Any] = {
                "queue": f"q{queue}",
                "type": f"t{job_type}",
                "worker": f"w{job_type}",
                "run_us": [1],
            }
            shown.record(v1.EVENT_KIND_SUCCEEDED, **fields)
    runs = _settled(shown) and shown.tally.totals.runs
    assert set(runs) == {
        ("q0", "t0"), ("q0", "t1"), ("q0", "t2"), ("q0", "_other"),
        ("q1", "t0"), ("q1", "t1"), ("q1", "_other"), ("_other", "_other"),
    }  # fmt: skip
    assert sum(histogram.count for histogram in runs.values()) == 100
    assert {worker for worker, _ in shown.tally.worker_jobs} == {"w0", "w1", "_other"}


def test_a_worker_that_is_gone_makes_room_for_a_new_one() -> None:
    shown = Shown(metrics_max_workers=1, metrics_idle="1h")
    shown.record(v1.EVENT_KIND_SUCCEEDED, worker="old")
    shown.record(v1.EVENT_KIND_SUCCEEDED, worker="new")
    shown.clock.us += 3_600 * SECOND_US
    shown.record(v1.EVENT_KIND_SUCCEEDED, worker="new")
    assert shown.tally.worker_jobs == {("_other", "completed"): 1, ("new", "completed"): 1}


def test_a_queue_that_is_gone_takes_its_types_along_and_leaves_the_totals() -> None:
    shown = Shown(metrics_max_queues=1, metrics_idle="1h")
    shown.record(v1.EVENT_KIND_CREATED, 5, queue="old")
    shown.tally.settle(shown.clock.us)
    shown.clock.us += 3_600 * SECOND_US
    shown.record(v1.EVENT_KIND_CREATED, 2, queue="new")
    assert 'queue="old"' not in shown.text
    assert 'taskqueue_jobs_created_total{queue="new",type="echo"} 2.0' in shown.text
    assert shown.json["jobs"]["created"] == 7


def test_sets_of_labels_share_their_room() -> None:
    room = Room(3)
    first, second = Labels(2, 60, lambda _: None, room), Labels(2, 60, lambda _: None, room)
    assert [first.label(value, 0) for value in "abc"] == ["a", "b", "_other"]
    assert [second.label(value, 0) for value in "ab"] == ["a", "_other"]
    first.clear()
    assert second.label("b", 1) == "b"


def test_it_is_restored_as_it_was(shown: Shown) -> None:
    for kind in v1.EventKind.values():
        if kind:
            shown.record(kind, 2, worker="w", run_us=[1, 2], wait_us=[3, 4])
    shown.tally.settle(shown.clock.us)
    again = Shown()
    again.tally.restore(shown.tally.to_json(), shown.clock.us)
    for window, stored in shown.tally.windows.items():
        for slot, counts in stored.take_changed().items():
            again.tally.windows[window].restore(slot, counts, shown.clock.us / 1e6)
    assert again.text == shown.text
    assert again.json == shown.json
