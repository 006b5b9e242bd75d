"""Finding and changing jobs and queues, over every way."""

from datetime import UTC, datetime, timedelta

import pytest

from gotask.sdk import Client, NewJob
from gotask.sdk.errors import AlreadyExists, InvalidArgument, NotFound, Refused


async def test_jobs_are_found_by_what_is_known_of_them(client: Client) -> None:
    await client.submit_many(
        [
            NewJob("echo", 1, queue="a", tags=["x"]),
            NewJob("echo", 2, queue="b"),
            NewJob("math", 3, queue="a", delay="1h"),
        ]
    )
    found = {
        "queue": await client.list(queue="a"),
        "type": await client.list(type="echo"),
        "tag": await client.list(tag="x"),
        "status": await client.list(status="scheduled"),
        "statuses": await client.list(status=["scheduled", "pending"]),
        "before": await client.list(created_before=datetime.now(UTC) - timedelta(hours=1)),
        "from": await client.list(created_from=datetime.now(UTC) - timedelta(hours=1)),
    }
    assert {name: [job.payload for job in page.items] for name, page in found.items()} == {
        "queue": [3, 1],
        "type": [2, 1],
        "tag": [1],
        "status": [3],
        "statuses": [3, 2, 1],
        "before": [],
        "from": [3, 2, 1],
    }


async def test_pages_follow_each_other(client: Client) -> None:
    await client.submit_many(NewJob("echo", number) for number in range(5))
    first = await client.list(limit=3)
    second = await client.list(limit=3, cursor=first.next_cursor)
    assert [job.payload for job in (*first.items, *second.items)] == [4, 3, 2, 1, 0]
    assert second.next_cursor == ""
    with pytest.raises(InvalidArgument, match="cursor") as refusal:
        await client.list(cursor="x")
    assert refusal.value.field == "cursor"
    with pytest.raises(InvalidArgument, match="limit: 501"):
        await client.list(limit=501)
    with pytest.raises(InvalidArgument, match="status: unknown state 'done'"):
        await client.list(status="done")  # type: ignore[arg-type]


async def test_pages_of_large_jobs_are_shorter(client: Client) -> None:
    await client.submit_many(NewJob("echo", "x" * 200_000) for _ in range(12))
    page = await client.list(limit=12)
    assert page.items
    assert sum([1 async for _ in client.iterate()]) == 12


async def test_a_waiting_job_is_cancelled_retried_and_deleted(client: Client) -> None:
    handle = await client.submit("echo", delay="1h")
    with pytest.raises(Refused, match="scheduled"):
        await handle.delete()
    assert (await handle.cancel()).status == "cancelled"
    with pytest.raises(Refused, match="is cancelled already") as refusal:
        await client.cancel(handle.id)
    assert (refusal.value.code, refusal.value.field) == ("failed_precondition", "id")
    assert (await handle.retry()).status == "pending"
    await handle.cancel()
    await handle.delete()
    for call in (client.get, client.cancel, client.retry, client.delete):
        with pytest.raises(NotFound, match=f"there is no job {handle.id}"):
            await call(handle.id)


async def test_a_queue_is_purged(client: Client) -> None:
    handles = await client.submit_many([NewJob("echo", 1, queue="mail"), NewJob("echo", 2, queue="mail", delay="1h")])
    purged = await client.queues.purge("mail")
    assert (purged.cancelled, purged.complete) == (2, True)
    assert [(await handle.wait("20s")).status for handle in handles] == ["cancelled", "cancelled"]
    with pytest.raises(NotFound, match="there is no queue 'x'"):
        await client.queues.purge("x")


async def test_a_queue_lives(client: Client) -> None:
    made = await client.queues.create("mail", max_workers=3, retry_delay="5s", timeout=timedelta(minutes=1))
    assert (made.max_workers, made.retry_delay, made.timeout) == (3, timedelta(seconds=5), timedelta(minutes=1))
    assert (made.max_retries, made.retry_strategy, made.dead_letter, made.paused) == (3, "exponential", True, False)
    with pytest.raises(AlreadyExists, match="queue 'mail' exists"):
        await client.queues.create("mail")
    changed = await client.queues.update("mail", rate_limit=2.5, max_retries=1, retention_success="1h")
    assert (changed.rate_limit, changed.max_retries, changed.retention_success) == (2.5, 1, timedelta(hours=1))
    assert (changed.max_workers, changed.retry_delay, changed.timeout) == (3, made.retry_delay, made.timeout)
    assert (await client.queues.pause("mail")).paused
    assert (await client.queues.get("mail")).paused
    assert not (await client.queues.resume("mail")).paused
    assert [queue.name for queue in await client.queues.list()] == ["default", "mail"]
    await client.submit("echo", queue="mail")
    with pytest.raises(Refused, match="jobs wait or run"):
        await client.queues.delete("mail")
    stats = await client.queues.stats("mail")
    assert (stats.pending_jobs, stats.running_jobs, stats.workers) == (1, 0, 0)
    assert stats.oldest_pending_age_seconds > 0
    assert {each.name: each.pending_jobs for each in await client.queues.all_stats()} == {"default": 0, "mail": 1}


async def test_a_queue_that_is_not_there_is_named(client: Client) -> None:
    for call in (client.queues.get, client.queues.pause, client.queues.stats, client.queues.delete):
        with pytest.raises(NotFound, match="there is no queue 'x'"):
            await call("x")
    with pytest.raises(NotFound, match="there is no queue 'x'"):
        await client.queues.update("x", priority=3)
    with pytest.raises(InvalidArgument, match=r"weight: .*greater than or equal to 1"):
        await client.queues.create("x", weight=0)
