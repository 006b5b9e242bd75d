"""Submitting, over every way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gotask.bus.subjects import Stream
from gotask.sdk import Client, NewJob
from gotask.sdk.client.handle import JobHandle
from gotask.sdk.errors import InvalidArgument, QueueFull, SubmitFailed
from tests.sdk.client.conftest import Place


async def test_a_job_is_stored_with_its_options(client: Client) -> None:
    handle = await client.submit(
        "image.resize",
        {"url": "u"},
        queue="images",
        priority=7,
        delay=timedelta(minutes=5),
        ttl="1h",
        timeout=90,
        max_retries=5,
        retry_strategy="linear",
        tags=("a", "b"),
        metadata={"customer": "7"},
    )
    assert handle.submission == "created"
    job = await handle.get()
    assert (job.id, job.type, job.queue, job.status) == (handle.id, "image.resize", "images", "scheduled")
    assert (job.payload, job.priority, job.tags, job.metadata) == ({"url": "u"}, 7, ("a", "b"), {"customer": "7"})
    assert (job.timeout, job.max_retries, job.retry_strategy) == (timedelta(seconds=90), 5, "linear")
    assert job.created_at is not None
    assert job.due_at is not None
    assert job.due_at == job.scheduled_at == handle.job.scheduled_at
    assert timedelta(minutes=4) < job.due_at - datetime.now(UTC) < timedelta(minutes=6)
    assert handle.job.max_retries == 5


@pytest.mark.parametrize(
    ("job_type", "payload", "options", "field", "reason"),
    [
        ("not a type", None, {}, "type", "pattern"),
        ("echo", None, {"queue": "a b"}, "queue", "pattern"),
        ("echo", None, {"priority": 256}, "priority", "255"),
        ("echo", None, {"delay": "soon"}, "delay", "not a duration: 'soon'"),
        ("echo", None, {"delya": "5m"}, "delya", "no such field"),
        ("echo", None, {"scheduled_at": datetime(2030, 1, 1)}, "scheduled_at", "timezone"),  # noqa: DTZ001
        ("echo", {1, 2}, {}, "payload", "is not JSON"),
        ("echo", float("nan"), {}, "payload", "NaN"),
        ("echo", "x" * 300_000, {}, "payload", "the limit is"),
    ],
)
async def test_wrong_input_is_refused_before_it_is_sent(
    client: Client, job_type: str, payload: Any, options: Any, field: str, reason: str
) -> None:
    with pytest.raises(InvalidArgument, match=reason) as refusal:
        await client.submit(job_type, payload, **options)
    assert refusal.value.field == field
    assert not (await client.list()).items


async def test_a_key_gives_the_first_job_again(client: Client) -> None:
    first = await client.submit("echo", 1, idempotency_key="order-7")
    again = await client.submit("echo", 2, idempotency_key="order-7")
    assert (again.submission, again.id) == ("existed", first.id)
    assert again.job.payload == 1


async def test_a_full_queue_pushes_back(client: Client) -> None:
    await client.queues.create("small", max_length=1)
    await client.submit("echo", queue="small")
    with pytest.raises(QueueFull, match="'small' is full"):
        await client.submit("echo", queue="small")


async def test_concurrent_submissions_leave_together(client: Client, place: Place) -> None:
    handles = await asyncio.gather(*(client.submit("echo", number) for number in range(500)))
    assert len({handle.id for handle in handles}) == 500
    assert [handle.job.payload for handle in handles] == list(range(500))
    info = await place.bus.js.stream_info(place.bus.subjects.stream(Stream.SUBMIT))
    assert info.state.last_seq < 20


async def test_many_jobs_are_cut_into_messages(client: Client) -> None:
    handles = await client.submit_many(NewJob("echo", "x" * 2_000) for _ in range(1_500))
    assert len(handles) == 1_500
    assert sum([1 async for _ in client.iterate(type="echo")]) == 1_500


async def test_of_many_jobs_each_has_an_outcome(client: Client) -> None:
    await client.queues.create("small", max_length=1)
    jobs = [NewJob("echo", 0, queue="small"), NewJob("echo", 1, queue="small"), NewJob("echo", {2}), NewJob("echo", 3)]
    with pytest.raises(SubmitFailed, match=r"2 of 4 jobs were refused; the first, number 1: queue: .*full") as refusal:
        await client.submit_many(jobs)
    taken, full, wrong, last = refusal.value.outcomes
    assert isinstance(taken, JobHandle)
    assert isinstance(full, QueueFull)
    assert isinstance(wrong, InvalidArgument)
    assert (await last.get()).payload == 3
