"""How attempts end."""

import pytest

from gotask import v1
from gotask.jobs.states import (
    CANCELLED,
    DEAD,
    EXPIRED,
    PENDING,
    RETRYING,
    RUNNING,
    SCHEDULED,
    SUCCESS,
)
from gotask.storage.contract import FinishStatus, ProgressUpdate, Storage
from tests.storage.support import (
    ENDS,
    NOW,
    SECOND,
    add_queue,
    claim,
    end,
    get,
    insert,
    job,
    new_id,
    outcome,
    start,
    state_of,
)

APPLIED, STALE, REPEATED = FinishStatus.APPLIED, FinishStatus.STALE, FinishStatus.REPEATED


async def test_a_success_keeps_result_and_history(storage: Storage) -> None:
    claimed = await start(storage, worker="w1")
    assert await end(storage, claimed, result=b"84") == (APPLIED, SUCCESS)
    found = await get(storage, claimed.job_id)
    assert (found.state, found.result, found.finished_at_us) == (SUCCESS, b"84", NOW + SECOND)
    assert (found.worker, found.started_at_us, found.lease_until_us) == ("w1", NOW, 0)
    assert [attempt.attempt for attempt in found.history.attempts] == [1]


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 1024, 1025, 256 * 1024])
async def test_a_result_of_any_size_is_kept(storage: Storage, size: int) -> None:
    claimed = await start(storage)
    await end(storage, claimed, result=b"r" * size)
    assert (await get(storage, claimed.job_id)).result == b"r" * size


@pytest.mark.parametrize("state", ENDS)
async def test_an_attempt_may_end_in_any_of_these_states(storage: Storage, state: v1.JobState.ValueType) -> None:
    claimed = await start(storage)
    assert await end(storage, claimed, state, due_at_us=NOW + 9 * SECOND) == (APPLIED, state)
    found = await get(storage, claimed.job_id)
    assert found.state == state
    assert found.due_at_us == (NOW + 9 * SECOND if state == RETRYING else 0)
    assert found.finished_at_us == (0 if state in (RETRYING, PENDING) else NOW + SECOND)
    assert found.ready_at_us == (NOW + SECOND if state == PENDING else NOW)


@pytest.mark.parametrize("state", [RUNNING, SCHEDULED, EXPIRED, v1.JOB_STATE_UNSPECIFIED])
async def test_no_attempt_ends_in_another_state(storage: Storage, state: v1.JobState.ValueType) -> None:
    first = await start(storage)
    second = await start(storage)
    with pytest.raises(ValueError, match="state"):
        await storage.finish([outcome(first), outcome(second, state)], NOW)
    assert await state_of(storage, first.job_id) == RUNNING


@pytest.mark.parametrize("state", ENDS)
async def test_a_repeated_outcome_says_so_and_changes_nothing(storage: Storage, state: v1.JobState.ValueType) -> None:
    claimed = await start(storage)
    await end(storage, claimed, state, result=b"1", due_at_us=NOW)
    before = await get(storage, claimed.job_id)
    assert await end(storage, claimed, state, now=NOW + 9 * SECOND, result=b"2", due_at_us=NOW + 7) == (REPEATED, state)
    assert await get(storage, claimed.job_id) == before


async def test_an_outcome_twice_in_a_batch_is_applied_once(storage: Storage) -> None:
    claimed = await start(storage)
    finished = await storage.finish([outcome(claimed), outcome(claimed), outcome(claimed, DEAD)], NOW)
    assert finished == [(APPLIED, SUCCESS), (REPEATED, SUCCESS), (STALE, 0)]
    assert len((await get(storage, claimed.job_id)).history.attempts) == 1


async def test_the_first_of_two_different_outcomes_counts(storage: Storage) -> None:
    claimed = await start(storage)
    await end(storage, claimed, CANCELLED)
    assert await end(storage, claimed, SUCCESS) == (STALE, 0)
    assert await state_of(storage, claimed.job_id) == CANCELLED


async def test_outcomes_of_other_attempts_are_stale(storage: Storage) -> None:
    first = await start(storage)
    await end(storage, first, PENDING)
    assert (await end(storage, first)).status is STALE
    (second,) = await claim(storage)
    assert (await end(storage, first)).status is STALE
    assert (await end(storage, second._replace(attempt=3))).status is STALE
    assert await state_of(storage, first.job_id) == RUNNING
    assert (await end(storage, second)).status is APPLIED


async def test_outcomes_of_jobs_that_never_ran_or_do_not_exist_are_stale(storage: Storage) -> None:
    claimed = await start(storage)
    (pending,) = await insert(storage, job())
    for unknown in (claimed._replace(job_id=new_id()), claimed._replace(job_id=pending)):
        assert await end(storage, unknown) == (STALE, 0)
    assert await end(storage, claimed._replace(job_id=pending, attempt=0), PENDING) != (APPLIED, PENDING)
    assert await state_of(storage, pending) == PENDING


async def test_an_outcome_with_the_wrong_queue_counts_for_the_jobs_own(storage: Storage) -> None:
    await add_queue(storage, "other", max_workers=1)
    claimed = await start(storage)
    assert (await end(storage, claimed._replace(queue="other"))).status is APPLIED
    default, other = await storage.queue_stats(["default", "other"], NOW)
    assert (default.running, default.completed_total, other.completed_total) == (0, 1, 0)


async def test_one_batch_of_outcomes_may_go_every_way(storage: Storage) -> None:
    await insert(storage, *[job() for _ in range(2 * len(ENDS))])
    running = await claim(storage, 2 * len(ENDS))
    outcomes = [outcome(one, state, due_at_us=NOW) for one, state in zip(running, ENDS * 2, strict=True)]
    stale = outcome(running[0]._replace(job_id=new_id()))
    finished = await storage.finish([*outcomes, stale], NOW)
    assert finished == [*((APPLIED, state) for state in ENDS * 2), (STALE, 0)]
    assert [one.state for one in await storage.get_jobs([one.job_id for one in running]) if one] == list(ENDS * 2)


async def test_history_keeps_every_attempt_in_order(storage: Storage) -> None:
    claimed = await start(storage)
    for number in range(1, 4):
        error = v1.JobError(type="E", message="x" * 300 * number)
        attempt = v1.Attempt(attempt=number, worker=f"w{number}", outcome=v1.OUTCOME_FAILURE, error=error)
        history = v1.History(attempts=[attempt]).SerializeToString()
        await storage.finish([outcome(claimed, PENDING)._replace(history=history)], NOW)
        (claimed,) = await claim(storage)
    await end(storage, claimed, result=b"[1]")
    found = await get(storage, claimed.job_id)
    assert [attempt.attempt for attempt in found.history.attempts] == [1, 2, 3, 4]
    assert [len(attempt.error.message) for attempt in found.history.attempts] == [300, 600, 900, 0]
    assert found.result == b"[1]"


async def test_only_a_success_keeps_a_result(storage: Storage) -> None:
    claimed = await start(storage)
    await end(storage, claimed, DEAD, result=b"no")
    assert (await get(storage, claimed.job_id)).result == b""


async def test_forgiven_attempts_do_not_count_as_tries(storage: Storage) -> None:
    claimed = await start(storage)
    await end(storage, claimed, PENDING, forgiven=True)
    found = await get(storage, claimed.job_id)
    assert (found.attempt, found.attempts_forgiven) == (1, 1)
    (second,) = await claim(storage)
    assert (second.attempt, second.tries) == (2, 1)


@pytest.mark.parametrize(
    ("wanted", "becomes"),
    [(PENDING, CANCELLED), (RETRYING, CANCELLED), (SUCCESS, SUCCESS), (DEAD, DEAD), (CANCELLED, CANCELLED)],
)
async def test_a_job_to_be_cancelled_does_not_wait_again(
    storage: Storage, wanted: v1.JobState.ValueType, becomes: v1.JobState.ValueType
) -> None:
    claimed = await start(storage)
    await storage.cancel([claimed.job_id], NOW)
    assert await end(storage, claimed, wanted, due_at_us=NOW) == (APPLIED, becomes)
    assert await end(storage, claimed, wanted, due_at_us=NOW) == (REPEATED, becomes)
    assert await state_of(storage, claimed.job_id) == becomes
    assert await storage.next_due() is None


async def test_progress_counts_only_from_the_attempt_that_holds_the_lease(storage: Storage) -> None:
    claimed = await start(storage)
    (pending,) = await insert(storage, job())
    progress = v1.Progress(percent=40, message="half", at_us=NOW)
    updates = [
        ProgressUpdate(claimed.job_id, 1, b""),
        ProgressUpdate(claimed.job_id, 2, b""),
        ProgressUpdate(new_id(), 1, b""),
        ProgressUpdate(pending, 0, b""),
        ProgressUpdate(claimed.job_id, 1, progress.SerializeToString()),
    ]
    assert await storage.set_progress(updates) == [True, False, False, False, True]
    assert (await get(storage, claimed.job_id)).progress == progress
    await end(storage, claimed)
    assert await storage.set_progress(updates[4:]) == [False]
    assert (await get(storage, claimed.job_id)).progress == progress


@pytest.mark.parametrize("state", [PENDING, RETRYING])
async def test_progress_is_gone_when_the_job_waits_again(storage: Storage, state: v1.JobState.ValueType) -> None:
    claimed = await start(storage)
    await storage.set_progress([ProgressUpdate(claimed.job_id, 1, v1.Progress(percent=4).SerializeToString())])
    await end(storage, claimed, state, due_at_us=NOW)
    assert not (await get(storage, claimed.job_id)).HasField("progress")
