"""The client for code without an event loop, over every way."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from gotask.sdk import App, NewJob, SyncClient
from gotask.sdk.client.event import JobEvent
from gotask.sdk.client.job import Job
from gotask.sdk.errors import InvalidArgument, JobFailed, NotFound, SubmitFailed, WaitTimeout
from tests.sdk.client.conftest import Place
from tests.services.gateway.support import scheduler

app = App()


@app.job("double")
def double(number: int) -> int:
    return 2 * number


@app.job("fail", max_retries=0)
def fail() -> None:
    raise ValueError("no")


@pytest.fixture
async def client(place: Place) -> AsyncIterator[SyncClient]:
    opened = SyncClient(place.url, namespace=place.namespace)
    await asyncio.to_thread(opened.connect)
    yield opened
    async with asyncio.timeout(30):
        await asyncio.to_thread(opened.close)


async def test_jobs_are_submitted_and_followed(client: SyncClient, place: Place) -> None:
    await place.start_worker(app)

    def use() -> None:
        handle = client.submit(double.job(number=21))
        assert handle.result(timeout="20s") == 42
        assert client.submit("double", {"number": 2}).result("20s") == 4
        many = client.submit_many(double.job(number=n) for n in range(20))
        assert [each.result("20s") for each in many] == [2 * n for n in range(20)]
        with pytest.raises(JobFailed, match="ValueError: no"):
            client.submit(fail.job()).result("20s")
        told = list(client.watch(handle.id))
        assert [isinstance(each, Job) and each.status for each in told] == ["success"]
        assert {job.id for job in client.iterate(type="double")} >= {handle.id}
        assert [worker.types for worker in client.workers.list()] == [("double", "fail")]

    await asyncio.to_thread(use)


async def test_jobs_are_changed(client: SyncClient) -> None:
    def use() -> None:
        handle = client.submit("double", delay="1h")
        with pytest.raises(WaitTimeout):
            handle.wait(timeout=0.1)
        assert handle.cancel().status == "cancelled"
        assert handle.retry().status == "pending"
        assert client.cancel(handle.id).status == "cancelled"
        assert client.list(status="cancelled").items[0].id == handle.id
        client.delete(handle.id)
        with pytest.raises(NotFound):
            client.get(handle.id)
        with pytest.raises(SubmitFailed) as failed:
            client.submit_many([NewJob("double", 1), NewJob("double", object())])
        assert [type(each).__name__ for each in failed.value.outcomes] == ["SyncJobHandle", "InvalidArgument"]

    await asyncio.to_thread(use)


async def test_queues_schedules_and_dead_letters(client: SyncClient, place: Place) -> None:
    await place.start_worker(app)

    def use() -> None:
        assert client.queues.create("mail", max_workers=2).max_workers == 2
        assert client.queues.update("mail", priority=3).priority == 3
        assert client.queues.pause("mail").paused
        assert not client.queues.resume("mail").paused
        assert {each.name for each in client.queues.list()} >= {"mail"}
        assert client.queues.get("mail").max_workers == 2
        assert client.queues.stats("mail").pending_jobs == 0
        assert client.queues.purge("mail").cancelled == 0
        client.queues.delete("mail")
        schedule = client.schedules.create("daily", "@daily", double.job(number=4))
        assert client.schedules.pause(schedule.id).paused
        assert not client.schedules.resume(schedule.id).paused
        fire = client.schedules.run(schedule.id).fires[0]
        assert client.result(fire.job_id, "20s") == 8
        assert client.schedules.get(schedule.id).fires[0].job_id == fire.job_id
        assert client.schedules.update(schedule.id, name="nightly").name == "nightly"
        assert client.schedules.replace(schedule.id, "weekly", "@weekly", "double").payload is None
        client.schedules.delete(schedule.id)
        assert client.schedules.list() == []
        dead = [client.submit(fail.job()) for _ in range(2)]
        assert [handle.wait("20s").status for handle in dead] == ["dead", "dead"]
        assert [job.id for job in client.dead.iterate("default")] == [dead[1].id, dead[0].id]
        assert len(client.dead.list("default", error_type="ValueError").items) == 2
        client.queues.pause("default")
        assert client.dead.retry("default", [dead[0].id]).count == 1
        assert client.dead.purge("default").count == 1

    async with scheduler(place.nats_url, place.namespace, place.storage):
        await asyncio.to_thread(use)


async def test_many_threads_share_it(client: SyncClient) -> None:
    def use() -> None:
        with ThreadPoolExecutor(16) as pool:
            handles = list(pool.map(lambda n: client.submit("double", {"number": n}), range(200)))
        assert len({handle.id for handle in handles}) == 200
        assert [handle.job.payload["number"] for handle in handles] == list(range(200))

    await asyncio.to_thread(use)


async def test_events_come_as_they_happen_and_can_be_left(client: SyncClient) -> None:
    def use() -> list[JobEvent]:
        client.submit("double")
        first = client.get(client.submit("double").id)
        events = client.events(kinds=["cancelled"])
        with ThreadPoolExecutor(1) as pool:
            taken = pool.submit(lambda: list(islice(events, 1)))
            while not taken.done():
                client.cancel(client.submit("double").id)
        events.close()  # type: ignore[attr-defined]
        assert client.get(first.id).id == first.id
        return taken.result(30)

    (event,) = await asyncio.to_thread(use)
    assert event.kind == "cancelled"


async def test_it_is_used_again_after_it_was_closed(client: SyncClient) -> None:
    def use() -> None:
        first = client.submit("double")
        client.close()
        assert client.get(first.id).id == first.id
        with pytest.raises(InvalidArgument, match="type"):
            client.submit("")

    await asyncio.to_thread(use)
