"""Jobs as users write them: what is filled in, and what is refused, by the name of the field."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gotask import v1
from gotask.jobs.admission import Defaults
from gotask.jobs.ids import new_id
from gotask.jobs.request import JobRequest, QueueRequest, default_queue
from gotask.jobs.validation import InvalidJob, check_spec


def parse(**fields: Any) -> JobRequest:
    return JobRequest.model_validate_json(orjson.dumps(fields))


def test_what_is_not_given_comes_from_the_queue() -> None:
    queue = default_queue("mail", 1)
    queue.retry.max_retries, queue.timeout_us = 7, 9
    spec = parse(type="email", queue="mail", retry_strategy="linear").to_spec(new_id(), 5)
    Defaults(queue).fill_in(spec, 5)
    assert (spec.priority, spec.timeout_us, spec.retry.max_retries) == (1, 9, 7)
    assert spec.retry.strategy == v1.RETRY_STRATEGY_LINEAR
    assert spec.retry.delay_us == queue.retry.delay_us


@pytest.mark.parametrize(("given", "priority"), [({}, 1), ({"priority": 0}, 0), ({"priority": 9}, 9)])
def test_only_a_priority_that_was_given_is_kept(given: dict[str, int], priority: int) -> None:
    spec = v1.JobSpec(id=new_id(), type="email", queue="mail", **given)  # type: ignore[arg-type]
    Defaults(default_queue("mail", 1)).fill_in(spec, 5)
    assert spec.priority == priority


def test_times_are_absolute_or_from_now() -> None:
    now = 1_000_000
    assert parse(type="a", delay="3s").to_spec(new_id(), now).scheduled_at_us == 4_000_000
    assert parse(type="a", ttl=2).to_spec(new_id(), now).expires_at_us == 3_000_000
    assert parse(type="a", scheduled_at="1970-01-01T00:00:09Z").to_spec(new_id(), now).scheduled_at_us == 9_000_000


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, "type"),
        ({"type": "with space"}, "type"),
        ({"type": "a", "queue": "a.b"}, "queue"),
        ({"type": "a", "priority": 256}, "priority"),
        ({"type": "a", "priority": "1"}, "priority"),
        ({"type": "a", "nonsense": 1}, "nonsense"),
        ({"type": "a", "timeout": "soon"}, "timeout"),
        ({"type": "a", "retry_strategy": "never"}, "retry_strategy"),
        ({"type": "a", "scheduled_at": "tomorrow"}, "scheduled_at"),
        ({"type": "a", "scheduled_at": "2030-01-01T00:00:00"}, "scheduled_at"),
        ({"type": "a", "tags": ["x"] * 17}, "tags"),
        ({"type": "a", "metadata": {"k": 1}}, "metadata"),
        ({"type": "a", "delay": 1, "scheduled_at": "2030-01-01T00:00:00Z"}, ""),
    ],
)
def test_wrong_fields_are_named(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(**fields)
    assert [str(problem["loc"][0]) if problem["loc"] else "" for problem in refused.value.errors()] == [where]


def test_a_payload_beyond_the_limit_is_refused() -> None:
    with pytest.raises(InvalidJob, match=r"payload: 102 bytes of JSON; the limit is 100"):
        parse(type="a", payload="x" * 100).to_spec(new_id(), 0, max_payload_bytes=100)


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "1"), ("type", ""), ("queue", "a b"), ("priority", 256), ("payload", b"{"), ("unique_key", "k" * 257)],
)
def test_a_job_that_came_from_anywhere_is_checked_too(field: str, value: Any) -> None:
    spec = v1.JobSpec(id=new_id(), type="a", queue="q")
    check_spec(spec)
    setattr(spec, field, value)
    with pytest.raises(InvalidJob) as refused:
        check_spec(spec)
    assert refused.value.field == field


def test_a_queue_has_every_default_filled_in() -> None:
    queue = QueueRequest(name="q", max_retries=5, weight=3).to_queue("q", 1)
    assert (queue.retry.max_retries, queue.weight, queue.lease_us) == (5, 3, 30_000_000)
    assert queue.retry.delay_us == 60_000_000
