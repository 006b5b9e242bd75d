"""``gotask worker``: one process or several, how they stop, and how they start anew."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from gotask import v1
from gotask.jobs.states import PENDING
from tests.services.worker.conftest import Mark
from tests.services.worker.life import Life
from tests.services.worker.support import WorkerProcess, is_gone
from tests.support.waiting import wait_until

pytestmark = pytest.mark.parametrize("life", ["memory"], indirect=True)

Start = Callable[..., WorkerProcess]
SLEEPERS = "tests.services.worker.sleepers:app"


async def workers(life: Life) -> dict[str, v1.WorkerInfo]:
    """The workers that are heard of, by id."""
    now_us = 0
    return {worker.id: worker for worker in await life.storage.list_workers(now_us)}


async def listed(life: Life, *ids: str) -> dict[str, v1.WorkerInfo]:
    """The workers, once all of *ids* are heard of."""

    async def look() -> dict[str, v1.WorkerInfo] | None:
        found = await workers(life)
        return found if found.keys() >= set(ids) else None

    found: dict[str, v1.WorkerInfo] = await wait_until(look, f"{ids} are listed")
    return found


async def start_sleeping(life: Life, job_type: str, mark: Mark) -> str:
    """A job whose handler runs when this returns."""
    job_id = await life.submit(job_type, orjson.dumps({"started": mark.path}))
    await wait_until(mark.is_set, "the handler runs")
    return job_id


async def test_several_apps_share_a_worker(life: Life, start_process: Start) -> None:
    start_process(SLEEPERS, "tests.services.worker.sleepers:more", "--worker-id", "w", "--queues", "default,mail")
    worker = (await listed(life, "w"))["w"]
    assert (list(worker.types), list(worker.queues)) == (["add", "deaf", "log", "sleep"], ["default", "mail"])
    assert (await life.ended(await life.submit("add", b'{"a":1,"b":2}', queue="mail"))).result == b"3"


async def test_what_a_handler_logs_names_its_job_also_from_a_child_process(life: Life, start_process: Start) -> None:
    worker = start_process("tests.services.worker.sleepers:more")
    job_id = await life.submit("log")
    (entry,) = await asyncio.to_thread(worker.wait_for, "written by a handler")
    assert (entry["job_id"], entry["type"], entry["attempt"], entry["colour"]) == (job_id, "log", 1, "red")


async def test_a_worker_that_waits_for_its_broker_stops_at_once(life: Life, start_process: Start) -> None:
    worker = start_process(SLEEPERS, "--nats-url", "nats://127.0.0.1:1", "--log-level", "debug")
    await wait_until(worker.text, "it has begun to connect")
    worker.send(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait) == 0


async def test_a_place_without_an_app_or_with_a_rival_is_refused(life: Life, start_process: Start) -> None:
    more = "tests.services.worker.sleepers:more"
    refusals = {
        (
            "tests.services.worker.sleepers:ap",
        ): "'ap' of tests.services.worker.sleepers is not an App; its apps are app",
        (more, "tests.services.worker.sleepers:rival"): "job type 'add' has a handler already",
        (more, "--processes", "2", "--pool-memory-limit", "much"): "GOTASK_POOL_MEMORY_LIMIT: not an amount of memory",
        ("nowhere:app", "--processes", "2"): "there is no module 'nowhere'",
    }
    for worker, complaint in [(start_process(*arguments), complaint) for arguments, complaint in refusals.items()]:
        assert await asyncio.to_thread(worker.wait) == 2
        assert complaint in worker.text()


async def test_a_second_signal_cuts_the_grace_period_short(life: Life, start_process: Start, mark: Mark) -> None:
    worker = start_process(SLEEPERS)
    job_id = await start_sleeping(life, "sleep", mark)
    worker.send(signal.SIGTERM)
    await wait_until(lambda: _is_draining(life), "it is listed as draining")
    worker.send(signal.SIGINT)
    assert await asyncio.to_thread(worker.wait) == 0
    job = await life.in_state(job_id, PENDING)
    assert [one.outcome for one in job.history.attempts] == [v1.OUTCOME_RETURNED]


async def _is_draining(life: Life) -> bool:
    return any(worker.draining for worker in (await workers(life)).values())


async def test_a_thread_that_does_not_end_keeps_no_process_alive(life: Life, start_process: Start, mark: Mark) -> None:
    worker = start_process(SLEEPERS, "--grace", "100ms")
    job_id = await start_sleeping(life, "deaf", mark)
    worker.send(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait) == 0
    await life.in_state(job_id, PENDING)


async def test_a_fleet_replaces_a_member_that_dies_and_drains_as_one(
    life: Life, start_process: Start, mark: Mark
) -> None:
    fleet = start_process(SLEEPERS, "--processes", "2", "--worker-id", "w", "--grace", "100ms")
    members = await listed(life, "w-1", "w-2")
    victim = members["w-1"].pid
    os.kill(victim, signal.SIGKILL)

    async def replaced() -> int:
        pid = (await workers(life))["w-1"].pid
        return 0 if pid == victim else pid

    pids = [await wait_until(replaced, "another has taken its place"), members["w-2"].pid]
    (told,) = fleet.entries("worker process ended")
    assert (told["process"], told["code"]) == ("worker-1", -signal.SIGKILL)
    job_id = await start_sleeping(life, "sleep", mark)
    fleet.send(signal.SIGTERM)
    assert await asyncio.to_thread(fleet.wait) == 0
    assert all(is_gone(pid) for pid in pids)
    assert (await life.in_state(job_id, PENDING)).history.attempts[-1].outcome == v1.OUTCOME_RETURNED


async def test_a_second_signal_hurries_all_members(life: Life, start_process: Start, mark: Mark) -> None:
    fleet = start_process(SLEEPERS, "--processes", "2")
    job_id = await start_sleeping(life, "sleep", mark)
    fleet.send(signal.SIGTERM)
    await wait_until(lambda: _is_draining(life), "they drain")
    fleet.send(signal.SIGTERM)
    assert await asyncio.to_thread(fleet.wait) == 0
    await life.in_state(job_id, PENDING)


async def test_members_drain_when_their_parent_is_killed(life: Life, start_process: Start) -> None:
    fleet = start_process(SLEEPERS, "--processes", "2", "--worker-id", "w")
    pids = [worker.pid for worker in (await listed(life, "w-1", "w-2")).values()]
    fleet.kill()
    await wait_until(lambda: all(is_gone(pid) for pid in pids), "the members are gone")
    assert len(fleet.entries("stopped")) == 2


async def test_code_is_loaded_anew_when_it_changes(life: Life, start_process: Start, tmp_path: Path) -> None:
    def write(text: str) -> None:
        (tmp_path / "changing.py").write_text(f"from gotask.sdk import App\napp = App()\n{text}\n")

    async def answer() -> bytes:
        return (await life.ended(await life.submit("answer"))).result

    write("app.job('answer')(lambda: 1)")
    worker = start_process("changing:app", "--reload", folder=tmp_path)
    assert await answer() == b"1"
    write("app.job('answer')(lambda: 2 +")
    await asyncio.to_thread(worker.wait_for, "worker process ended")
    assert "SyntaxError" in worker.text()
    write("app.job('answer')(lambda: 22)")
    await asyncio.to_thread(worker.wait_for, "started", 2)
    assert await answer() == b"22"
    assert all("changing.py" in entry["files"][0] for entry in worker.entries("code changed"))
    worker.send(signal.SIGINT)
    assert await asyncio.to_thread(worker.wait) == 0
