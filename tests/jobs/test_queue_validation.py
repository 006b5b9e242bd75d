"""Queues that may be stored, and those that may not."""

import math
from typing import Any

import pytest

from gotask import v1
from gotask.jobs.queue_validation import check_queue_settings
from gotask.jobs.request import default_queue
from gotask.jobs.validation import InvalidJob


def test_a_queue_with_all_defaults_may_be_stored() -> None:
    check_queue_settings(default_queue("mail", 1))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("name", "a.b", "queue"),
        ("max_workers", 1_000_001, "max_workers"),
        ("max_length", 1_000_000_001, "max_length"),
        ("rate_limit", -1.0, "rate_limit"),
        ("rate_limit", math.nan, "rate_limit"),
        ("rate_limit", math.inf, "rate_limit"),
        ("priority", 256, "priority"),
        ("weight", 0, "weight"),
        ("weight", 1_001, "weight"),
        ("lease_us", 0, "lease"),
        ("lease_us", 2 * 86_400_000_000, "lease"),
        ("timeout_us", 1 << 62, "timeout"),
        ("retention_success_us", 1 << 62, "retention_success"),
        ("retention_other_us", 1 << 62, "retention_other"),
    ],
)
def test_a_setting_out_of_its_bounds_is_named(field: str, value: Any, named: str) -> None:
    queue = default_queue("mail", 1)
    setattr(queue, field, value)
    with pytest.raises(InvalidJob) as refused:
        check_queue_settings(queue)
    assert refused.value.field == named


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("max_retries", "max_retries"),
        ("delay_us", "retry_delay"),
        ("max_delay_us", "max_retry_delay"),
        ("jitter", "retry_jitter"),
        ("strategy", "retry_strategy"),
    ],
)
def test_a_retry_policy_must_be_complete(field: Any, named: str) -> None:
    queue = default_queue("mail", 1)
    queue.retry.ClearField(field)
    with pytest.raises(InvalidJob) as refused:
        check_queue_settings(queue)
    assert refused.value.field == named


def test_what_is_not_set_at_all_is_refused() -> None:
    with pytest.raises(InvalidJob):
        check_queue_settings(v1.Queue(name="mail"))
