"""One batch with a job in every state, an unknown one, and one twice: each has its own answer, in the batch's order."""

import pytest

from gotask import v1
from gotask.jobs.states import CANCELLED, PENDING, RETRYABLE, RETRYING, RUNNING, SCHEDULED, TERMINAL, WAITING
from gotask.storage.contract import Change, Finish, FinishStatus, Lease, LeaseStatus, ProgressUpdate, Storage
from tests.storage.support import LEASE, NOW, SECOND, STATES, add_queue, claim, get, insert, job, job_in, new_id, start

LATER = NOW + 2 * SECOND
UNKNOWN = Change(False, v1.JOB_STATE_UNSPECIFIED)


@pytest.fixture
async def ids(storage: Storage) -> list[str]:
    """A job in every state, in the order of STATES; then an id that nobody has."""
    return [*[await job_in(storage, state) for state in STATES], new_id()]


def _worker(state: int) -> str:
    return "w" if state == RUNNING else ""


async def _states(storage: Storage, ids: list[str]) -> list[v1.JobState.ValueType | None]:
    return [found.state if found else None for found in await storage.get_jobs(ids)]


async def test_cancel(storage: Storage, ids: list[str]) -> None:
    becomes = [CANCELLED if state in WAITING else state for state in STATES]
    first = [
        Change(state in WAITING or state == RUNNING, after, "default", _worker(after))
        for state, after in zip(STATES, becomes, strict=True)
    ]
    again = [Change(False, after, "default", _worker(after)) for after in becomes]
    assert await storage.cancel([*ids, *ids], LATER) == [*first, UNKNOWN, *again, UNKNOWN]
    assert await _states(storage, ids) == [*becomes, None]


async def test_retry(storage: Storage, ids: list[str]) -> None:
    becomes = [PENDING if state in RETRYABLE else state for state in STATES]
    first = [
        Change(state in RETRYABLE, after, "default", _worker(after))
        for state, after in zip(STATES, becomes, strict=True)
    ]
    again = [Change(False, after, "default", _worker(after)) for after in becomes]
    assert await storage.retry([*ids, *ids], LATER) == [*first, UNKNOWN, *again, UNKNOWN]
    assert await _states(storage, ids) == [*becomes, None]


async def test_release(storage: Storage, ids: list[str]) -> None:
    delayed = (SCHEDULED, RETRYING)
    becomes = [PENDING if state in delayed else state for state in STATES]
    first = [
        Change(state in delayed, after, "default", _worker(after)) for state, after in zip(STATES, becomes, strict=True)
    ]
    again = [Change(False, after, "default", _worker(after)) for after in becomes]
    assert await storage.release([*ids, *ids], LATER) == [*first, UNKNOWN, *again, UNKNOWN]
    assert await _states(storage, ids) == [*becomes, None]


async def test_delete(storage: Storage, ids: list[str]) -> None:
    first = [Change(state in TERMINAL, state, "default", _worker(state)) for state in STATES]
    again = [UNKNOWN if state in TERMINAL else change for state, change in zip(STATES, first, strict=True)]
    assert await storage.delete([*ids, *ids]) == [*first, UNKNOWN, *again, UNKNOWN]
    assert await _states(storage, ids) == [*(None if state in TERMINAL else state for state in STATES), None]


async def test_finish(storage: Storage, ids: list[str]) -> None:
    """Only the attempt that runs ends; no outcome of another attempt counts."""
    before = await storage.get_jobs(ids)
    outcomes = [Finish(job_id, "default", attempt, RETRYING, b"", b"", LATER) for attempt in (2, 0) for job_id in ids]
    finished = await storage.finish(outcomes, LATER)
    assert {one.status for one in finished} == {FinishStatus.STALE}
    assert await storage.get_jobs(ids) == before
    finished = await storage.finish([Finish(job_id, "default", 1, CANCELLED, b"") for job_id in ids], LATER)
    expected = {RUNNING: (FinishStatus.APPLIED, CANCELLED), CANCELLED: (FinishStatus.REPEATED, CANCELLED)}
    stale = (FinishStatus.STALE, v1.JOB_STATE_UNSPECIFIED)
    assert finished == [*(expected.get(state, stale) for state in STATES), stale]


async def test_leases_and_progress(storage: Storage, ids: list[str]) -> None:
    for attempt in (0, 2):
        leases = [Lease(job_id, "default", attempt) for job_id in ids]
        assert set(await storage.extend_leases(leases, [LATER] * len(ids))) == {LeaseStatus.LOST}
        assert set(await storage.set_progress([ProgressUpdate(one, attempt, b"") for one in ids])) == {False}
    leases = [Lease(job_id, "default", 1) for job_id in ids]
    runs = [state == RUNNING for state in (*STATES, 0)]
    extended = await storage.extend_leases(leases, [LATER + LEASE] * len(ids))
    assert [status is LeaseStatus.EXTENDED for status in extended] == runs
    assert await storage.set_progress([ProgressUpdate(one, 1, b"") for one in ids]) == runs


async def test_the_last_word_about_a_job_in_a_batch_counts(storage: Storage) -> None:
    claimed = await start(storage)
    lease = Lease(claimed.job_id, "default", 1)
    await storage.extend_leases([lease, lease, lease], [NOW + 50, NOW + 90, NOW + 70])
    half, most = (v1.Progress(percent=percent).SerializeToString() for percent in (50, 90))
    await storage.set_progress([ProgressUpdate(claimed.job_id, 1, half), ProgressUpdate(claimed.job_id, 1, most)])
    found = await get(storage, claimed.job_id)
    assert (found.lease_until_us, found.progress.percent) == (NOW + 70, 90)
    assert [one.job_id for one in await storage.expired_leases(NOW + 70, 9)] == [claimed.job_id]
    assert await storage.expired_leases(NOW + 69, 9) == []


async def test_reading_answers_in_the_batchs_order(storage: Storage, ids: list[str]) -> None:
    found = await storage.get_jobs([*ids[::-1], ids[0]])
    assert [one.spec.id if one else None for one in found] == [None, *ids[-2::-1], ids[0]]


async def test_figures_answer_in_the_batchs_order(storage: Storage) -> None:
    await add_queue(storage, "mail")
    await insert(storage, job(queue="mail"))
    stats = await storage.queue_stats(["mail", "nowhere", "default", "mail"], NOW)
    assert [(one.name, one.pending) for one in stats] == [("mail", 1), ("nowhere", 0), ("default", 0), ("mail", 1)]
    assert await storage.queue_stats([], NOW) == []


async def test_nothing_is_taken_beyond_a_limit(storage: Storage) -> None:
    await insert(storage, *[job(scheduled_at_us=NOW + 1, expires_at_us=NOW + 5) for _ in range(5)])
    await insert(storage, *[job(expires_at_us=NOW + 9 * SECOND) for _ in range(5)])
    await claim(storage, 5)
    assert len(await storage.due_jobs(LATER, 3)) == 3
    assert len(await storage.expired_leases(NOW + LEASE, 3)) == 3
    assert len(await storage.expire_jobs(LATER, 3)) == 3
    assert await storage.prune(NOW + 10**15, 2) == 2
    assert [await storage.prune(NOW + 10**15, limit) for limit in (0, 9)] == [0, 1]
