"""What happens, told while it happens: over server-sent events and over gRPC."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from gotask import v1
from gotask.bus import tail
from gotask.bus.bus import Publication
from gotask.bus.subjects import Stream
from gotask.gateway import feed
from gotask.gateway.rest import event_stream
from gotask.gateway.rest.schemas import FullJob, JobEvent
from gotask.jobs.ids import new_id
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.grpc_support import jobs, refused
from tests.services.gateway.sse import listening
from tests.services.gateway.support import API, Door, gateway, problem, queue_manager
from tests.support.servers import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server) -> AsyncIterator[Door]:
    """One for all tests here: each looks at queues of its own."""
    storage = MemoryStorage()
    async with queue_manager(nats.address, "events", storage), gateway(nats.address, "events", storage) as opened:
        yield opened


async def publish(door: Door, queue: str, kind: v1.EventKind.ValueType, count: int = 1) -> None:
    """One message that tells of *count* jobs, as a queue-manager would."""
    batch = v1.EventBatch(kind=kind, queue=queue, type="echo", at_us=1, job_ids=[f"job-{i}" for i in range(count)])
    data = v1.JobEvents(batches=[batch]).SerializeToString()
    await door.bus.publish_durable(Publication(door.bus.subjects.event(queue, kind), data, new_id()))


async def test_a_job_is_followed_to_its_end(door: Door) -> None:
    job = await door.submit(queue="followed")
    async with listening(door.http, f"{API}/jobs/{job['id']}/events") as told:
        first = await anext(told)
        assert (first.name, FullJob.model_validate(first.document).status) == ("job", "pending")
        (claimed,) = await door.start_jobs("followed")
        await door.end_job(claimed, result=b"7")
        succeeded = await anext(told)
        event = JobEvent.model_validate(succeeded.document)
        assert (succeeded.name, event.kind, event.job_id, event.attempt) == ("succeeded", "succeeded", job["id"], 1)
        assert event.run_seconds
        assert event.run_seconds < 1
        last = await anext(told)
        assert (last.name, last.document["status"], last.document["result"]) == ("job", "success", 7)
        assert await anext(told, None) is None


async def test_a_job_that_has_ended_is_told_once(door: Door) -> None:
    job = await door.submit(queue="ended")
    await door.http.post(f"{API}/jobs/{job['id']}/cancel")
    async with listening(door.http, f"{API}/jobs/{job['id']}/events") as told:
        assert [each.document["status"] async for each in told] == ["cancelled"]
    problem(await door.http.get(f"{API}/jobs/{new_id()}/events"), 404)


async def test_a_watched_job_that_is_deleted_ends_the_stream(door: Door) -> None:
    service = jobs(door.channel)
    job = await door.submit(queue="deleted")
    watch = service.WatchJob(v1.JobId(id=job["id"]))
    updates = aiter(watch)
    assert (await anext(updates)).job.spec.id == job["id"]
    await service.CancelJob(v1.JobId(id=job["id"]))
    assert (await anext(updates)).event.kind == v1.EVENT_KIND_CANCELLED
    assert (await anext(updates)).job.state == v1.JOB_STATE_CANCELLED
    assert [update async for update in updates] == []


async def test_a_great_many_queues_and_kinds_may_be_named(door: Door) -> None:
    kinds = [kind for kind in v1.EventKind.values() if kind] * 2
    request = v1.WatchEventsRequest(queues=[f"queue-{number}" for number in range(64)] * 2, kinds=kinds)
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await anext(aiter(jobs(door.channel).WatchEvents(request)))
    del request.queues[64:]
    watch = aiter(jobs(door.channel).WatchEvents(request))
    await anext(watch)
    await publish(door, "queue-63", v1.EVENT_KIND_STALE)
    assert (await anext(watch)).events[0].queue == "queue-63"


async def test_all_events_of_some_queues_and_kinds(door: Door) -> None:
    query = {"queue": "mine,ours", "kind": ["created", "cancelled"]}
    async with listening(door.http, f"{API}/events", params=query) as told:
        ids = [(await door.submit(queue=queue))["id"] for queue in ("mine", "others", "ours")]
        await door.http.post(f"{API}/jobs/{ids[0]}/cancel")
        seen = [await anext(told) for _ in range(3)]
    assert [(each.name, each.document["job_id"], each.document["queue"]) for each in seen] == [
        ("created", ids[0], "mine"),
        ("created", ids[2], "ours"),
        ("cancelled", ids[0], "mine"),
    ]


@pytest.mark.parametrize("way", ["header", "parameter"])
async def test_whoever_comes_back_goes_on_where_it_stopped(door: Door, way: str) -> None:
    queue = f"resumed-{way}"
    params: dict[str, Any] = {"queue": queue}
    async with listening(door.http, f"{API}/events", params=params) as told:
        for _ in range(3):
            await publish(door, queue, v1.EVENT_KIND_CREATED, 4)
        seen = [await anext(told) for _ in range(6)]
    headers = {"Last-Event-ID": seen[-1].id} if way == "header" else {}
    params |= {} if headers else {"cursor": seen[-1].id}
    async with listening(door.http, f"{API}/events", params=params, headers=headers) as told:
        seen += [await anext(told) for _ in range(6)]
    assert [each.document["job_id"] for each in seen] == [f"job-{i}" for i in range(4)] * 3
    assert len({each.id for each in seen}) == 12


async def test_events_over_grpc_can_be_resumed(door: Door) -> None:
    service = jobs(door.channel)
    request = v1.WatchEventsRequest(queues=["grpc"], kinds=[v1.EVENT_KIND_CREATED])
    watch = aiter(service.WatchEvents(request))
    opening = await anext(watch)
    assert not opening.events
    assert opening.cursor
    for kind in (v1.EVENT_KIND_CREATED, v1.EVENT_KIND_STARTED, v1.EVENT_KIND_CREATED):
        await publish(door, "grpc", kind, 2)
    first, second = await anext(watch), await anext(watch)
    request.cursor = first.cursor
    again = aiter(service.WatchEvents(request))
    assert (await anext(again)).cursor == first.cursor
    assert await anext(again) == second
    assert [event.job_id for event in second.events] == ["job-0", "job-1"]


async def test_events_that_are_gone_are_told_of(door: Door) -> None:
    async with listening(door.http, f"{API}/events", params={"queue": "gone"}) as told:
        for _ in range(3):
            await publish(door, "gone", v1.EVENT_KIND_CREATED)
        seen = [await anext(told) for _ in range(3)]
    await door.bus.js.purge_stream(door.bus.subjects.stream(Stream.EVENTS), seq=int(seen[2].id))
    async with door.http.stream("GET", f"{API}/events", params={"queue": "gone", "cursor": seen[0].id}) as response:
        lines = response.aiter_lines()
        begin = [await anext(lines) for _ in range(2)]
    assert begin == [f"id: {int(seen[2].id) - 1}", "event: gap"]


async def test_a_watcher_that_is_too_slow_is_cut(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_MAX_LAG", 5)
    monkeypatch.setattr(tail, "_WINDOW", 2)
    service = jobs(door.channel)
    slow = aiter(service.WatchEvents(v1.WatchEventsRequest(queues=["fast"])))
    await anext(slow)
    async with listening(door.http, f"{API}/events", params={"queue": "fast"}) as told:
        # Neither is read, until far more has come than is sent ahead.
        await asyncio.gather(*(publish(door, "fast", v1.EVENT_KIND_CREATED, 4_000) for _ in range(40)))
        last = [each async for each in told][-1]
        assert (last.name, last.document["status"]) == ("cut", 429)
        assert "too slow" in last.document["detail"]
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED) as refusal:
        async for _ in slow:
            pass
    assert "too slow" in refusal.message


async def test_a_watcher_that_takes_nothing_is_cut_off(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "_STALL_S", 0.2)
    stream = door.bus.subjects.stream(Stream.EVENTS)
    before = len(await door.bus.js.consumers_info(stream))
    reader, writer = await asyncio.open_connection(door.http.base_url.host, door.http.base_url.port, limit=1_000)
    writer.write(f"GET {API}/events?queue=stalled HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    await reader.readline()

    async def watchers() -> int:
        return len(await door.bus.js.consumers_info(stream)) - before

    assert await watchers() == 1
    await asyncio.gather(*(publish(door, "stalled", v1.EVENT_KIND_CREATED, 4_000) for _ in range(20)))

    async def gone() -> bool:
        return await watchers() == 0

    await wait_until(gone, "the watcher is cut off")
    writer.close()


async def test_watchers_leave_nothing_behind(door: Door) -> None:
    consumers = await door.bus.js.consumers_info(door.bus.subjects.stream(Stream.EVENTS))
    async with listening(door.http, f"{API}/events"):
        pass

    async def gone() -> bool:
        now = await door.bus.js.consumers_info(door.bus.subjects.stream(Stream.EVENTS))
        return len(now) <= len(consumers)

    await wait_until(gone, "the watcher's consumer is deleted")


async def test_only_so_many_watch_at_once(nats: Server) -> None:
    storage = MemoryStorage()
    async with gateway(nats.address, "events", storage, max_watchers=1) as door:
        async with listening(door.http, f"{API}/events"):
            problem(await door.http.get(f"{API}/events"), 429)
        await wait_until(lambda: _opens(door), "there is room again")


async def _opens(door: Door) -> bool:
    async with door.http.stream("GET", f"{API}/events") as response:
        return response.status_code == 200


async def test_a_stream_does_not_outlast_its_age(nats: Server) -> None:
    async with (
        gateway(nats.address, "events", MemoryStorage(), stream_max_age=0.2) as door,
        listening(door.http, f"{API}/events") as told,
    ):
        assert await anext(told, None) is None


@pytest.mark.parametrize(
    ("query", "field"),
    [("queue=a.b", "queue.0"), ("kind=done", "kind.0"), ("cursor=x", "cursor"), ("kinds=created", "kinds")],
)
async def test_wrong_parameters(door: Door, query: str, field: str) -> None:
    found = problem(await door.http.get(f"{API}/events?{query}"), 422)
    assert found.errors[0].field == field


async def test_stopping_ends_the_streams(nats: Server, namespace: str) -> None:
    storage = MemoryStorage()
    async with contextlib.AsyncExitStack() as clients:
        async with queue_manager(nats.address, namespace, storage), gateway(nats.address, namespace, storage) as door:
            job = await door.submit()
            channel = await clients.enter_async_context(grpc.aio.insecure_channel(door.grpc_target))
            http = await clients.enter_async_context(httpx.AsyncClient(base_url=door.http.base_url))
            watches = [
                aiter(jobs(channel).WatchJob(v1.JobId(id=job["id"]))),
                aiter(jobs(channel).WatchEvents(v1.WatchEventsRequest())),
                await clients.enter_async_context(listening(http, f"{API}/events")),
            ]
            for watch in watches[:2]:
                await anext(watch)
            rests = asyncio.gather(*map(_rest, watches))
        assert await rests == [[], [], []]


async def _rest(watch: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in watch]
