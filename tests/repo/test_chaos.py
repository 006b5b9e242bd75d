"""The verdict of a chaos run finds what it looks for, and a seed gives the same run again."""

from collections.abc import Mapping

import pytest

from gotask import v1
from gotask.jobs.states import CANCELLED, DEAD, PENDING, SUCCESS
from gotask.sdk.client.job import Job
from tools.chaos.faults import draw
from tools.chaos.orders import NARROW_QUEUE, NARROW_WORKERS, QUEUE, Order, Orders
from tools.chaos.verdict import judge

_S = 1_000_000


def order(**fields: object) -> Order:
    made = Order(key="7", kind="quick", payload={}, ends=frozenset({"success"}), accepted=1, stored_as={"job-7"})
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def job(
    state: v1.JobState.ValueType = SUCCESS, *ends: v1.Outcome.ValueType, result: int = 1, queue: str = QUEUE
) -> Job:
    """A job whose attempts ended so, each a second long and all from the beginning of time."""
    message = v1.Job(state=state, attempt=len(ends), result=str(result).encode() if state == SUCCESS else b"")
    message.spec.CopyFrom(v1.JobSpec(id="job-7", type="quick", queue=queue, idempotency_key="7"))
    message.spec.retry.max_retries = 1
    for number, outcome in enumerate(ends, start=1):
        message.history.attempts.add(attempt=number, outcome=outcome, started_at_us=_S, finished_at_us=2 * _S)
    return Job(message)


def problems(given: Order, *jobs: Job, told: Mapping[str, int] | None = None) -> str:
    successes = {each.id: 1 for each in jobs if each.succeeded} if told is None else told
    return "\n".join(judge([given], jobs, successes).problems)


DONE = job(SUCCESS, v1.OUTCOME_SUCCESS)
AFTER_LOSS = job(SUCCESS, v1.OUTCOME_LEASE_LOST, v1.OUTCOME_SUCCESS, result=2)
LOST = job(DEAD, v1.OUTCOME_LEASE_LOST, v1.OUTCOME_LEASE_LOST)


@pytest.mark.parametrize("ended", [DONE, AFTER_LOSS, LOST], ids=["at once", "after a lost lease", "all tries lost"])
def test_a_promise_that_was_kept_is_no_problem(ended: Job) -> None:
    assert problems(order(), ended) == ""


@pytest.mark.parametrize(
    ("given", "jobs", "found"),
    [
        (order(), [], "0 jobs were made of it"),
        (order(), [DONE, DONE], "2 jobs were made of it"),
        (order(accepted=0), [DONE], "was never accepted"),
        (order(stored_as={"job-7", "job-8"}), [DONE], "was answered with"),
        (order(), [job(PENDING)], "has not ended"),
        (order(ends=frozenset({"dead"})), [DONE], "ended in success, not in dead"),
        (order(), [job(DEAD, v1.OUTCOME_LEASE_LOST)], "ended in dead, not in success"),
        (order(), [job(DEAD, *[v1.OUTCOME_LEASE_LOST] * 3)], "3 tries used up"),
        (order(cancelled_as="cancelled"), [DONE], "was cancelled, and ended in success"),
        (order(ends=frozenset({"cancelled"})), [job(CANCELLED)], "nobody cancelled it"),
        (order(), [job(SUCCESS, v1.OUTCOME_LEASE_LOST, v1.OUTCOME_SUCCESS, result=1)], "succeeded in try 2, result 1"),
        (order(), [job(SUCCESS, v1.OUTCOME_SUCCESS, v1.OUTCOME_SUCCESS, result=2)], "succeeded in try 2"),
        (order(key="8"), [DONE], "a job that nobody ordered"),
    ],
)
def test_a_promise_that_was_broken_is_found(given: Order, jobs: list[Job], found: str) -> None:
    assert found in problems(given, *jobs)


def test_an_attempt_that_is_missing_is_found() -> None:
    ended = job(SUCCESS, v1.OUTCOME_LEASE_LOST, v1.OUTCOME_SUCCESS, result=2)
    del ended.message.history.attempts[0]
    assert "its attempts are [2], the last one is 2" in problems(order(), ended)


@pytest.mark.parametrize("times", [0, 2])
def test_a_success_that_was_not_told_once_is_found(times: int) -> None:
    assert f"told {times} times" in problems(order(), DONE, told={"job-7": times})


def test_too_many_at_once_are_found() -> None:
    jobs = [job(SUCCESS, v1.OUTCOME_SUCCESS, queue=NARROW_QUEUE) for _ in range(NARROW_WORKERS + 1)]
    assert judge([], jobs[1:], {}).most_at_once == NARROW_WORKERS
    assert any("at once" in problem for problem in judge([], jobs, {}).problems)


def test_a_seed_gives_the_same_jobs_and_the_same_faults() -> None:
    assert Orders(7).take(500) == Orders(7).take(500) != Orders(8).take(500)
    assert list(draw(7, ["a", "b"], 60, 2)) == list(draw(7, ["a", "b"], 60, 2)) != list(draw(8, ["a", "b"], 60, 2))
