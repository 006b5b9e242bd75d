"""Following jobs to their end, over every way."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import BaseModel

from gotask.sdk import App, Client, JobContext
from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.job import Job
from gotask.sdk.errors import InvalidArgument, JobFailed, NotFound, WaitTimeout
from tests.sdk.client.conftest import Place

app = App()


class Size(BaseModel):
    width: int
    height: int


@app.job("double")
async def double(size: Size) -> Size:
    return Size(width=size.width * 2, height=size.height * 2)


@app.job("fail", max_retries=0)
async def fail(message: str) -> None:
    raise ValueError(message)


@app.job("report")
async def report(context: JobContext, percent: float) -> dict[str, str]:
    context.progress(percent, "half way")
    await asyncio.sleep(0.3)
    return {"id": context.job_id}


@app.job("parent")
async def parent(number: int) -> int:
    child = await double.submit(size=Size(width=number, height=0))
    return (await child.result("20s")).width


@pytest.fixture(autouse=True)
async def worker(place: Place) -> None:
    await place.start_worker(app)


async def test_a_result_comes_back_as_the_handler_says_it(client: Client) -> None:
    handle = await client.submit(double.job(size=Size(width=3, height=4)))
    assert await handle.result(timeout="20s") == Size(width=6, height=8)
    assert await client.result(handle.id) == {"width": 6, "height": 8}
    job = await handle.wait()
    assert (job.status, job.ended, job.succeeded, job.attempts) == ("success", True, True, 1)
    assert [attempt.outcome for attempt in job.history] == ["success"]


async def test_many_wait_at_once(client: Client) -> None:
    handles = await client.submit_many(double.job(size=Size(width=n, height=n)) for n in range(200))
    results = await asyncio.gather(*(handle.result("20s") for handle in handles))
    assert [size.width for size in results] == [2 * n for n in range(200)]


async def test_a_job_that_fails_says_why(client: Client) -> None:
    handle = await client.submit(fail.job(message="no such image"))
    with pytest.raises(JobFailed, match=r"\(fail\) ended dead: ValueError: no such image") as failure:
        await handle.result(timeout="20s")
    job = failure.value.job
    assert job.error is not None
    assert "raise ValueError(message)" in job.error.traceback
    assert (await client.list(status="dead")).items[0].error is not None


async def test_waiting_ends_in_time(client: Client) -> None:
    handle = await client.submit("double", {"size": {"width": 1, "height": 1}}, delay="1h")
    with pytest.raises(WaitTimeout, match=f"job {handle.id} is scheduled after 0.1"):
        await handle.wait(timeout=0.1)
    with pytest.raises(TimeoutError):
        await client.result(handle.id, timeout="50ms")


async def test_a_job_that_is_not_there_is_not_waited_for(client: Client) -> None:
    with pytest.raises(NotFound, match="there is no job"):
        await client.wait("019f0000-0000-7000-8000-000000000000")
    with pytest.raises(NotFound, match="there is no job x"):
        await client.get("x")


async def test_handlers_may_submit_jobs_and_await_them(client: Client) -> None:
    handle = await client.submit(parent.job(number=21))
    assert await handle.result(timeout="20s") == 42


async def test_a_job_is_watched_to_its_end(client: Client) -> None:
    await client.queues.pause("default")
    handle = await client.submit(report.job(percent=40.0))
    told: list[Job | JobEvent] = []
    async for each in handle.watch():
        told.append(each)
        if len(told) == 1:
            await client.queues.resume("default")
    assert isinstance(told[0], Job)
    assert isinstance(told[-1], Job)
    assert told[-1].status == "success"
    events = [each for each in told if isinstance(each, JobEvent)]
    assert [event.kind for event in events] == ["started", "progress", "succeeded"]
    _, progress, ended = events
    assert progress.progress is not None
    assert (progress.progress.percent, progress.progress.message) == (40, "half way")
    assert ended.run is not None
    assert ended.run.total_seconds() > 0.2


async def test_watching_a_job_that_has_ended_or_is_not_there(client: Client) -> None:
    handle = await client.submit(double.job(size=Size(width=1, height=1)))
    await handle.wait("20s")
    assert [isinstance(each, Job) and each.status async for each in handle.watch()] == ["success"]
    with pytest.raises(NotFound, match="there is no job"):
        await anext(client.watch("019f0000-0000-7000-8000-000000000000"))


async def test_events_of_all_jobs_go_on_from_a_cursor(client: Client) -> None:
    seen: list[JobEvent] = []
    first = asyncio.create_task(_take(client, 3, kinds=["created", "started", "succeeded"]))
    await asyncio.sleep(0)
    while not first.done():
        await client.submit(double.job(size=Size(width=1, height=1)))
        await asyncio.wait([first], timeout=0.2)
    seen += await first
    assert seen[0].cursor
    later = await client.submit(double.job(size=Size(width=2, height=2)))
    await later.wait("20s")
    rest = await _take(client, 1, kinds=["succeeded"], cursor=seen[-1].cursor)
    assert rest[0].kind == "succeeded"
    assert not rest[0].gap
    with pytest.raises(InvalidArgument, match="cursor") as refusal:
        await _take(client, 1, cursor="x")
    assert refusal.value.field == "cursor"
    with pytest.raises(InvalidArgument, match="kinds: unknown kind 'done'; known are created"):
        await _take(client, 1, kinds=["done"])


async def _take(client: Client, count: int, **wanted: Any) -> list[JobEvent]:
    events: list[JobEvent] = []
    async with aclosing(client.events(**wanted)) as happening:
        async for event in happening:
            events.append(event)
            if len(events) == count:
                break
    return events
