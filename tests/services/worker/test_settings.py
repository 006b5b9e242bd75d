"""The worker's settings."""

import os

import pytest

from gotask.service.processors import processors
from gotask.service.settings import InvalidSettings
from gotask.service.sizes import format_bytes
from gotask.worker.settings import WorkerSettings


@pytest.mark.parametrize(
    ("written", "count"),
    [("512MB", 512_000_000), ("1.5 GiB", 3 << 29), ("64kb", 64_000), ("1048576", 1 << 20), ("0", 0)],
)
def test_amounts_of_memory_are_read_as_people_write_them(written: str, count: int) -> None:
    assert WorkerSettings.load(["--pool-memory-limit", written]).pool_memory_limit == count


@pytest.mark.parametrize("written", ["much", "-1", "12 XB", "1.2.3MB", ""])
def test_what_is_no_amount_of_memory_is_refused(written: str) -> None:
    with pytest.raises(InvalidSettings, match=f"GOTASK_POOL_MEMORY_LIMIT: not an amount of memory: '{written}'"):
        WorkerSettings.load([f"--pool-memory-limit={written}"])


def test_amounts_of_memory_are_told_as_people_read_them() -> None:
    assert [format_bytes(count) for count in (999, 64_000, 612_345_678, 2_000_000_000)] == [
        "999 bytes",
        "64 kB",
        "612 MB",
        "2 GB",
    ]


def test_defaults_follow_the_processors() -> None:
    settings = WorkerSettings.load()
    assert 1 <= processors() <= (os.cpu_count() or 1)
    assert (settings.pool_size, settings.concurrency) == (processors(), max(8, 4 * processors()))


def test_members_of_a_fleet_have_names_and_ports_of_their_own() -> None:
    named = WorkerSettings.load(["--worker-id", "w", "--health-port", "9000"])
    named.become_member(2)
    assert (named.worker_id, named.health_port) == ("w-3", 9002)
    nameless, other = WorkerSettings.load(), WorkerSettings.load()
    nameless.become_member(0)
    assert nameless.worker_id != other.worker_id
    assert nameless.health_port == 0


def test_a_stop_must_have_time_for_its_grace_period() -> None:
    with pytest.raises(InvalidSettings, match="GOTASK_STOP_TIMEOUT: must be longer than GOTASK_GRACE"):
        WorkerSettings.load(["--grace", "1h"]).check()
