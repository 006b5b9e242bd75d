"""No call changes a job in a way that the table of transitions does not have."""

from collections.abc import Awaitable, Callable

import pytest

from gotask import v1
from gotask.jobs.states import CANCELLED, EXPIRED, PENDING, RETRYABLE, RETRYING, RUNNING, SCHEDULED, TERMINAL, allowed
from gotask.storage.contract import Claimed, Lease, ProgressUpdate, Storage
from tests.storage.support import ENDS, LEASE, NOW, SECOND, STATES, claim, job, job_in, outcome, state_of

Call = Callable[[Storage, str], Awaitable[object]]
LATER = NOW + 2 * SECOND
WAITS = (SCHEDULED, PENDING, RETRYING)


def _finish(state: v1.JobState.ValueType) -> Call:
    return lambda storage, job_id: storage.finish(
        [outcome(Claimed(job_id, "default", b"", 1, 1, NOW), state, due_at_us=NOW)], LATER
    )


CALLS: dict[str, tuple[Call, dict[v1.JobState.ValueType, v1.JobState.ValueType]]] = {
    "claim": (lambda storage, _: claim(storage, now=LATER), {PENDING: RUNNING}),
    "release": (lambda storage, job_id: storage.release([job_id], LATER), {SCHEDULED: PENDING, RETRYING: PENDING}),
    "cancel": (lambda storage, job_id: storage.cancel([job_id], LATER), dict.fromkeys(WAITS, CANCELLED)),
    "purge": (lambda storage, _: storage.cancel_waiting("default", LATER, 9), dict.fromkeys(WAITS, CANCELLED)),
    "retry": (lambda storage, job_id: storage.retry([job_id], LATER), dict.fromkeys(RETRYABLE, PENDING)),
    "expire": (lambda storage, _: storage.expire_jobs(LATER, 9), {}),
    "extend": (lambda storage, job_id: storage.extend_leases([Lease(job_id, "default", 1)], [LATER + LEASE]), {}),
    "progress": (lambda storage, job_id: storage.set_progress([ProgressUpdate(job_id, 1, b"")]), {}),
    "insert": (lambda storage, job_id: storage.insert_jobs([job(id=job_id)], LATER), {}),
    "due": (lambda storage, _: storage.due_jobs(LATER, 9), {}),
    "expired leases": (lambda storage, _: storage.expired_leases(LATER + 2 * LEASE, 9), {}),
    "delete queue": (lambda storage, _: storage.delete_queue("elsewhere"), {}),
    "prune": (lambda storage, _: storage.prune(LATER, 9), {}),
    **{f"finish {state}": (_finish(state), {RUNNING: state}) for state in ENDS},
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("state", STATES)
async def test_a_call_moves_a_job_as_it_should_or_leaves_it(
    storage: Storage, state: v1.JobState.ValueType, name: str
) -> None:
    call, moves = CALLS[name]
    job_id = await job_in(storage, state)
    before = await storage.get_jobs([job_id])
    await call(storage, job_id)
    assert await state_of(storage, job_id) == moves.get(state, state)
    if state in moves:
        assert allowed(state, moves[state])
    elif name not in ("cancel", "extend", "progress"):
        assert await storage.get_jobs([job_id]) == before


@pytest.mark.parametrize("state", STATES)
async def test_only_a_waiting_job_expires(storage: Storage, state: v1.JobState.ValueType) -> None:
    job_id = await job_in(storage, state, **({} if state == EXPIRED else {"expires_at_us": LATER}))
    await storage.expire_jobs(LATER, 9)
    becomes = EXPIRED if state in WAITS else state
    assert await state_of(storage, job_id) == becomes
    assert state == becomes or allowed(state, becomes)


@pytest.mark.parametrize("state", STATES)
async def test_only_a_terminal_job_is_deleted(storage: Storage, state: v1.JobState.ValueType) -> None:
    job_id = await job_in(storage, state)
    (change,) = await storage.delete([job_id])
    assert (change.changed, change.state) == (state in TERMINAL, state)
    assert (await storage.get_jobs([job_id]) == [None]) == (state in TERMINAL)
