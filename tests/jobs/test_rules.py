"""The rules of a job: retries, durations, ids, states, what becomes of a failed attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gotask import v1
from gotask.jobs import states
from gotask.jobs.durations import MAX_US, format_us, parse_us
from gotask.jobs.ids import IdMaker, derived_id, is_id, new_id
from gotask.jobs.outcomes import after_failure, after_lost_lease
from gotask.jobs.request import DEFAULT_RETRY
from gotask.jobs.retry import delay_us

SECOND = 1_000_000


def policy(strategy: v1.RetryStrategy.ValueType, **fields: float) -> v1.RetryPolicy:
    made = v1.RetryPolicy(strategy=strategy, delay_us=60 * SECOND, max_delay_us=3600 * SECOND)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("strategy", "minutes"),
    [
        (v1.RETRY_STRATEGY_EXPONENTIAL, [1, 2, 4, 8, 16, 32, 60, 60]),
        (v1.RETRY_STRATEGY_LINEAR, [1, 2, 3, 4, 5]),
        (v1.RETRY_STRATEGY_FIXED, [1, 1, 1]),
    ],
)
def test_delays_grow_as_the_strategy_says(strategy: v1.RetryStrategy.ValueType, minutes: list[int]) -> None:
    delays = [delay_us(policy(strategy), retry) for retry in range(1, len(minutes) + 1)]
    assert delays == [minute * 60 * SECOND for minute in minutes]


@given(retry=st.integers(1, 10_000), jitter=st.floats(0, 1), rand=st.floats(0, 1, exclude_max=True))
def test_no_delay_is_negative_or_above_the_maximum(retry: int, jitter: float, rand: float) -> None:
    delay = delay_us(policy(v1.RETRY_STRATEGY_EXPONENTIAL, jitter=jitter), retry, lambda: rand)
    assert 0 <= delay <= 3600 * SECOND


@pytest.mark.parametrize(
    ("text", "micros"),
    [("5m", 300 * SECOND), ("1h30m", 5400 * SECOND), ("250ms", 250_000), (1.5, 1_500_000), ("60", 60 * SECOND), (0, 0)],
)
def test_durations_are_read_as_users_write_them(text: str | float, micros: int) -> None:
    assert parse_us(text) == micros


@pytest.mark.parametrize("text", ["", "5 parsecs", "-5s", -1, "m5", True, None, float("nan"), "11000d"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_us(text)  # type: ignore[arg-type]


@given(st.integers(0, MAX_US))
def test_a_formatted_duration_reads_back(micros: int) -> None:
    assert parse_us(format_us(micros)) == micros


def test_ids_rise_strictly_even_when_the_clock_steps_back() -> None:
    maker = IdMaker()
    ids = [maker.make(now) for now in [5_000_000] * 5_000 + [4_000_000, 6_000_000]]
    assert ids == sorted(set(ids))
    assert all(map(is_id, ids))
    assert is_id(new_id())


def test_a_derived_id_is_always_the_same() -> None:
    assert derived_id(5_000_000, "a:1") == derived_id(5_000_000, "a:1") != derived_id(5_000_000, "a:2")
    assert is_id(derived_id(5_000_000, "a:1"))


def test_terminal_states_lead_nowhere_but_back_to_pending_by_hand() -> None:
    for state in states.TERMINAL:
        assert states.TRANSITIONS[state] <= {states.PENDING}
    assert not states.TRANSITIONS[states.SUCCESS]
    assert {states.name_of(state) for state in states.TRANSITIONS} == set(states.NAMES)
    assert states.state_of("dead") == states.DEAD
    with pytest.raises(ValueError, match="known are scheduled, pending"):
        states.state_of("asleep")


def failed(attempt: int, **fields: bool | int) -> v1.JobResult:
    return v1.JobResult(attempt=v1.Attempt(attempt=attempt), **fields)  # type: ignore[arg-type]


def running(attempt: int, **fields: bool | int) -> v1.Job:
    return v1.Job(spec=v1.JobSpec(retry=DEFAULT_RETRY), attempt=attempt, **fields)  # type: ignore[arg-type]


def test_a_failed_attempt_is_retried_while_one_is_left() -> None:
    assert after_failure(running(1), failed(1), True, 0) == (states.RETRYING, 60 * SECOND, False)
    assert after_failure(running(3), failed(3), True, 0) == (states.RETRYING, 240 * SECOND, False)
    assert after_failure(running(4), failed(4), True, 0).state == states.DEAD
    assert after_failure(running(4), failed(4), False, 0).state == states.FAILED
    assert after_failure(running(9, attempts_forgiven=8), failed(9), True, 0).state == states.RETRYING


def test_a_late_result_of_a_forgiven_attempt_breaks_nothing() -> None:
    assert after_failure(running(4, attempts_forgiven=4), failed(4), True, 0) == (states.RETRYING, 60 * SECOND, False)
    assert after_failure(running(5, attempts_forgiven=4), failed(1), True, 0).state == states.RETRYING


def test_a_handler_cannot_put_a_retry_off_for_ever() -> None:
    decision = after_failure(running(1), failed(1, retry_after_us=2**64 - 1), True, 100)
    assert decision == (states.RETRYING, 100 + MAX_US, False)


def test_a_handler_may_set_the_delay_or_refuse_a_retry() -> None:
    assert after_failure(running(1), failed(1, retry_after_us=5), True, 100) == (states.RETRYING, 105, False)
    assert after_failure(running(1), failed(1, no_retry=True), True, 0).state == states.DEAD


def test_a_job_that_is_to_be_cancelled_is_not_retried() -> None:
    job = running(1, cancel_requested=True)
    assert after_failure(job, failed(1), True, 0).state == states.CANCELLED
    assert after_lost_lease(job, True).state == states.CANCELLED


def test_a_lost_lease_uses_up_an_attempt() -> None:
    assert after_lost_lease(running(1), True).state == states.PENDING
    assert after_lost_lease(running(4), True).state == states.DEAD
