"""Commands whose first answer is lost on its way: the repeat is answered as the first try was."""

from collections.abc import AsyncIterator, Sequence

import pytest

from gotask import v1
from gotask.bus import bus as bus_module
from gotask.bus.bus import Bus
from gotask.bus.subjects import Stream
from gotask.jobs.states import DEAD
from gotask.queue_manager import dead_letters
from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.service.clock import SystemClock
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.support import API, Door, gateway, problem, running
from tests.support.servers import Server
from tests.support.streams import messages_in
from tests.support.waiting import wait_until


class ForgetfulBus(Bus):
    """Loses the first answer to every command after :meth:`lose`."""

    to_lose = 0
    answered = 0

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        if self.to_lose and subject.startswith("_INBOX."):
            self.to_lose -= 1
            self.answered += 1
            return
        await super().publish(subject, data, reply)


class Lossy:
    """A door behind which answers may get lost."""

    def __init__(self, door: Door, bus: ForgetfulBus) -> None:
        self.door = door
        self._bus = bus

    async def request(self, method: str, path: str, **send: object) -> int:
        """The status of a request whose first answer from the queue-manager is lost."""
        self._bus.to_lose = 1
        response = await self.door.http.request(method, f"{API}{path}", **send)  # type: ignore[arg-type]
        assert self._bus.to_lose == 0
        return response.status_code


@pytest.fixture
async def lossy(nats: Server, namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lossy]:
    monkeypatch.setattr(bus_module, "_TRY_TIMEOUT_S", 0.2)
    storage = MemoryStorage()
    settings = QueueManagerSettings.load(nats_url=nats.address, namespace=namespace)
    bus = await ForgetfulBus.open(settings, "queue-manager")
    assert isinstance(bus, ForgetfulBus)
    manager = QueueManagerService(settings, bus, storage, SystemClock())
    async with running(bus, lambda: manager), gateway(nats.address, namespace, storage) as door:
        yield Lossy(door, bus)


async def test_a_queue_is_created_once_and_its_maker_is_told(lossy: Lossy) -> None:
    assert await lossy.request("POST", "/queues", json={"name": "mine"}) == 201
    assert await lossy.request("POST", "/queues", json={"name": "mine"}) == 409


async def test_a_queue_is_deleted_once_and_its_remover_is_told(lossy: Lossy) -> None:
    await lossy.door.http.post(f"{API}/queues", json={"name": "mine"})
    assert await lossy.request("DELETE", "/queues/mine") == 204
    problem(await lossy.door.http.delete(f"{API}/queues/mine"), 404)


async def test_a_job_is_cancelled_once_and_its_owner_is_told(lossy: Lossy) -> None:
    waiting, running_job = await lossy.door.submit(delay="1h"), await lossy.door.submit()
    await lossy.door.start_jobs()
    for job in (waiting, running_job):
        assert await lossy.request("POST", f"/jobs/{job['id']}/cancel") == 200
        problem(await lossy.door.http.post(f"{API}/jobs/{job['id']}/cancel"), 409)


async def test_a_job_is_retried_once_and_its_owner_is_told(lossy: Lossy) -> None:
    job = await dead_job(lossy.door)
    assert await lossy.request("POST", f"/jobs/{job}/retry") == 200
    problem(await lossy.door.http.post(f"{API}/jobs/{job}/retry"), 409)


async def test_a_job_is_deleted_once_and_its_owner_is_told(lossy: Lossy) -> None:
    job = await dead_job(lossy.door)
    assert await lossy.request("DELETE", f"/jobs/{job}") == 204
    problem(await lossy.door.http.delete(f"{API}/jobs/{job}"), 404)


async def test_what_a_repeat_did_is_told_of_once(lossy: Lossy) -> None:
    job = await lossy.door.submit(delay="1h")
    await lossy.request("POST", f"/jobs/{job['id']}/cancel")
    await told_of(lossy.door, v1.EVENT_KIND_CANCELLED, [job["id"]])
    await lossy.door.submit(delay="1h")
    assert await told(lossy.door, v1.EVENT_KIND_CANCELLED) == [job["id"]]


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/queues/default/dead/retry", v1.EVENT_KIND_RELEASED),
        ("DELETE", "/queues/default/dead", v1.EVENT_KIND_DELETED),
    ],
)
async def test_each_dead_letter_is_told_of_when_a_repeat_goes_on_with_others(
    lossy: Lossy, monkeypatch: pytest.MonkeyPatch, method: str, path: str, kind: v1.EventKind.ValueType
) -> None:
    monkeypatch.setattr(dead_letters, "_PIECE", 1)
    monkeypatch.setattr(dead_letters, "_WORK_S", 0)
    jobs = [await dead_job(lossy.door) for _ in range(3)]
    assert await lossy.request(method, path) == 200
    await told_of(lossy.door, kind, jobs)


async def told(door: Door, kind: v1.EventKind.ValueType) -> list[str]:
    """The ids of the jobs that this was told of, sorted, as often as it was."""
    messages = await messages_in(door.bus, Stream.EVENTS)
    batches = [batch for data in messages for batch in v1.JobEvents.FromString(data).batches]
    return sorted(job_id for batch in batches if batch.kind == kind for job_id in batch.job_ids)


async def told_of(door: Door, kind: v1.EventKind.ValueType, jobs: Sequence[str]) -> None:
    async def each() -> bool:
        return await told(door, kind) == sorted(jobs)

    await wait_until(each, f"each job is told of once as {v1.EventKind.Name(kind)}")


async def dead_job(door: Door) -> str:
    """The id of a job without attempts left."""
    job = await door.submit(max_retries=0)
    (claimed,) = await door.start_jobs()
    await door.end_job(claimed, outcome=v1.OUTCOME_FAILURE)

    async def dead() -> bool:
        (found,) = await door.storage.get_jobs([job["id"]])
        return found is not None and found.state == DEAD

    await wait_until(dead, "the job is dead")
    return str(job["id"])
