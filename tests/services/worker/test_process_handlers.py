"""Handlers with ``process=True``: what comes back from them, and how they end."""

import os
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from gotask import v1
from gotask.jobs.states import CANCELLED, DEAD, PENDING, RETRYING, RUNNING, SUCCESS
from gotask.sdk import App
from gotask.sdk.loading import load_app
from gotask.worker.service import WorkerService
from tests.services.worker.conftest import Mark
from tests.services.worker.life import Life
from tests.services.worker.support import is_gone
from tests.support.waiting import wait_until

pytestmark = pytest.mark.parametrize("life", ["memory"], indirect=True)

ONCE = v1.RetryPolicy(max_retries=0)


async def start(life: Life, **settings: Any) -> WorkerService:
    """A worker of the handlers in ``handlers.py``."""
    return await life.start_worker(load_app("tests.services.worker.handlers:app"), pool_size=1, **settings)


async def run(life: Life, job_type: str, payload: Any = None, **fields: Any) -> v1.Job:
    return await life.ended(await life.submit(job_type, orjson.dumps(payload), **{"retry": ONCE, **fields}))


async def test_a_child_serves_many_jobs_and_knows_all_of_each(life: Life) -> None:
    await start(life)
    first, second = await run(life, "pid"), await run(life, "pid")
    assert first.result == second.result != str(os.getpid()).encode()
    job_id = await life.submit("resize", b'{"size":{"width":"3"}}', metadata={"customer": "c1"})
    assert orjson.loads((await life.ended(job_id)).result) == {"width": 3, "attempt": 1, "for": "c1"}


async def test_errors_come_back_with_type_message_and_traceback(life: Life) -> None:
    await start(life)
    retries = v1.RetryPolicy(max_retries=5, delay_us=3600_000_000, max_delay_us=3600_000_000)
    failed = await life.submit("raise", b'{"how":"plainly"}', retry=retries)
    (attempt,) = (await life.in_state(failed, RETRYING)).history.attempts
    assert (attempt.error.type, attempt.error.message) == ("ValueError", "wrong")
    assert attempt.error.traceback.startswith("Traceback")
    assert attempt.error.traceback.count("File ") == 1  # the handler's frames, none of GoTask's
    later = await life.in_state(await life.submit("raise", b'{"how":"retry"}', retry=retries), RETRYING)
    assert 80_000_000 < later.due_at_us - later.history.attempts[0].finished_at_us < 100_000_000

    for how, error_type in {"never": "NoRetry", "declared": "KeyError"}.items():
        job = await run(life, "raise", {"how": how}, retry=retries)
        assert [(one.error.type, job.state) for one in job.history.attempts] == [(error_type, DEAD)]
    exited = await run(life, "raise", {"how": "exit"})
    assert (exited.history.attempts[0].error.type, exited.history.attempts[0].error.message) == (
        "SystemExit",
        "leaving",
    )
    unfit = await run(life, "resize", {"size": {}})
    assert unfit.history.attempts[0].error.message == "payload.size.width: is missing"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("segfault", "the process of the handler was ended by SIGSEGV"),
        ("kill", "the process of the handler was ended by SIGKILL; perhaps the system ran out of memory"),
        ("_exit", "the process of the handler exited with code 3"),
    ],
)
async def test_a_crash_is_the_failure_of_its_job_only(life: Life, how: str, told: str) -> None:
    await start(life)
    crashed = await life.submit("crash", orjson.dumps({"how": how}), retry=ONCE)
    other = await life.submit("pid")
    job = await life.ended(crashed)
    assert job.state == DEAD
    assert (job.history.attempts[0].error.type, job.history.attempts[0].error.message) == ("ProcessCrashed", told)
    assert (await life.ended(other)).state == SUCCESS


async def test_a_timeout_kills_a_handler_that_heeds_nothing_and_what_it_started(life: Life, mark: Mark) -> None:
    await start(life, pool_patience=0.2)
    job = await run(life, "stubborn", {"started": mark.path}, timeout_us=500_000)
    assert (job.state, job.history.attempts[0].error.type) == (DEAD, "Timeout")
    assert job.history.attempts[0].error.message == "the attempt took longer than 500ms"
    child, program = mark.pids()
    assert is_gone(child)
    await wait_until(lambda: is_gone(program), "the program that the handler started is gone")
    assert (await run(life, "pid")).state == SUCCESS  # another child has taken its place


@pytest.mark.parametrize("job_type", ["tidy", "tidy.async"])
async def test_a_cancelled_handler_may_tidy_up_before_its_process_ends(
    life: Life, mark: Mark, second_mark: Mark, job_type: str
) -> None:
    await start(life, pool_patience=20)
    job_id = await life.submit(job_type, orjson.dumps({"started": mark.path, "tidied": second_mark.path}))
    await wait_until(mark.is_set, "the handler runs")
    await life.bus.command("cancel_jobs", v1.JobIds(ids=[job_id]), v1.JobStatuses)
    assert (await life.ended(job_id)).state == CANCELLED
    assert second_mark.is_set()
    assert is_gone(mark.pids()[0])


async def test_a_stopping_worker_hands_back_what_runs_in_its_pool(life: Life, mark: Mark) -> None:
    worker = await start(life, grace=0.1, pool_patience=0.2)
    job_id = await life.submit("stubborn", orjson.dumps({"started": mark.path}))
    await wait_until(mark.is_set, "the handler runs")
    await worker.stop()
    assert is_gone(mark.pids()[0])
    job = await life.in_state(job_id, PENDING)
    assert [one.outcome for one in job.history.attempts] == [v1.OUTCOME_RETURNED]


async def test_the_time_that_a_job_waits_for_a_child_does_not_count(life: Life, mark: Mark) -> None:
    await start(life)
    first = await life.submit("report", orjson.dumps({"go_on": mark.path}))
    await life.in_state(first, RUNNING)
    waiting = await life.submit("pid", timeout_us=500_000, retry=ONCE)
    claimed_at = time.monotonic()
    await life.in_state(waiting, RUNNING)
    await wait_until(lambda: time.monotonic() > claimed_at + 0.6, "it has waited for longer than it may run")
    mark.set()
    assert (await life.ended(first)).state == SUCCESS
    assert (await life.ended(waiting)).state == SUCCESS


async def test_progress_comes_from_a_child_while_its_job_runs(life: Life, mark: Mark) -> None:
    await start(life)
    job_id = await life.submit("report", orjson.dumps({"go_on": mark.path}))
    await wait_until(lambda: _percent(life, job_id, at_least=100), "the last of 100,000 reports arrives")
    mark.set()
    assert (await life.ended(job_id)).state == SUCCESS


async def _percent(life: Life, job_id: str, at_least: float) -> bool:
    job = await life.job(job_id)
    return job is not None and job.progress.percent >= at_least


async def test_a_child_that_used_too_much_memory_is_replaced_after_its_job(life: Life) -> None:
    await start(life, pool_memory_limit="150MB")
    modest, again = await run(life, "hungry", {"megabytes": 1}), await run(life, "hungry", {"megabytes": 1})
    greedy, after = await run(life, "hungry", {"megabytes": 150}), await run(life, "pid")
    assert modest.result == again.result == greedy.result != after.result


async def test_a_child_is_replaced_after_so_many_jobs(life: Life) -> None:
    await start(life, pool_max_jobs=2)
    pids = [(await run(life, "pid")).result for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_children_end_with_their_worker(life: Life) -> None:
    worker = await start(life)
    pid = int((await run(life, "pid")).result)
    await worker.stop()
    await wait_until(lambda: is_gone(pid), "the child is gone")


async def test_an_app_whose_handlers_no_child_could_find_is_refused(life: Life) -> None:
    app = App()

    @app.job("lost", process=True)
    def lost() -> None: ...

    with pytest.raises(ValueError, match="lost: to run in a process, an app must be loaded from module:attribute"):
        await life.start_worker(app)


async def test_handlers_that_a_child_cannot_load_fail_with_the_reason(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "breaks_later.py").write_text(
        "import os, sys\n"
        "from gotask.sdk import App\n"
        f"if os.getpid() != {os.getpid()}: raise RuntimeError('not here')\n"
        "app = App()\n"
        "app.job('unlucky', process=True)(lambda: None)\n"
    )
    await life.start_worker(load_app("breaks_later:app"), pool_size=1)
    job = await run(life, "unlucky")
    error = job.history.attempts[0].error
    assert error.type == "ProcessCrashed"
    assert "could not load the handlers" in error.message
    assert "RuntimeError: not here" in error.message
