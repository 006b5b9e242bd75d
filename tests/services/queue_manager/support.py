"""A queue-manager in this process, and somebody who hears all that it tells."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.subjects import Stream
from gotask.jobs.ids import new_id
from gotask.jobs.request import default_queue
from gotask.service.clock import SystemClock
from gotask.service.settings import ServiceSettings
from gotask.storage.contract import Claimed, Share, Slot, Storage
from tests.services.gateway.support import queue_manager
from tests.support.waiting import wait_until


class Desk:
    """Where a test plays submitter and worker by hand. *told* counts events by kind and job."""

    def __init__(self, bus: Bus, storage: Storage) -> None:
        self.bus = bus
        self.storage = storage
        self.told: Counter[tuple[str, str]] = Counter()

    async def listen(self) -> None:
        await self.bus.subscribe(self.bus.subjects.any_event, self._on_event)
        await self.bus.client.flush()

    async def _on_event(self, message: Msg) -> None:
        for batch in v1.JobEvents.FromString(message.data).batches:
            kind = v1.EventKind.Name(batch.kind).removeprefix("EVENT_KIND_").lower()
            self.told.update((kind, job_id) for job_id in batch.job_ids)

    def kinds(self, job_id: str) -> list[str]:
        """What was told of a job, but for its creation and starts, in the order of first telling."""
        return [
            kind
            for (kind, told_id), count in self.told.items()
            for _ in range(count)
            if told_id == job_id and kind not in ("created", "started", "released")
        ]

    async def insert(self, queue: str = "default", **fields: Any) -> str:
        """Stores a pending job, past the queue-manager."""
        now_us = SystemClock().now_us()
        await self.storage.create_queue(default_queue(queue, now_us))
        spec = v1.JobSpec(id=new_id(), type="echo", queue=queue, priority=1, created_at_us=now_us)
        spec.retry.CopyFrom(default_queue(queue, now_us).retry)
        spec.retry.max_retries = fields.pop("max_retries", 3)
        spec.retry.delay_us = fields.pop("retry_delay_us", 0)
        await self.storage.insert_jobs([spec], now_us)
        return spec.id

    async def claim(self, lease_s: float = 60, queue: str = "default") -> Claimed:
        """Takes the next job in line, past the queue-manager."""
        now_us = SystemClock().now_us()
        claims = await self.storage.claim([Slot("hand", 1, [Share(queue, 1)])], now_us, now_us + round(lease_s * 1e6))
        return claims.jobs[0][0]

    async def ask(self, worker: str, capacity: int = 1, wait_s: float = 20, queue: str = "default") -> v1.ClaimReply:
        """Claims as a worker does; the first part of the answer."""
        request = v1.ClaimRequest(worker=worker, queues=[queue], capacity=capacity, wait_us=round(wait_s * 1e6))
        data = request.SerializeToString()
        answer = await self.bus.client.request(self.bus.subjects.claim, data, timeout=wait_s + 5)
        return v1.ClaimReply.FromString(answer.data)

    async def submit(self, queue: str = "default") -> str:
        """Publishes a job as a client does."""
        spec = v1.JobSpec(id=new_id(), type="echo", queue=queue)
        data = v1.SubmitJobs(jobs=[spec]).SerializeToString()
        await self.bus.publish_durable(Publication(self.bus.subjects.submit(queue), data, spec.id))
        return spec.id

    async def report(self, claimed: Claimed, outcome: v1.Outcome.ValueType, **fields: Any) -> None:
        """Publishes an attempt's result as its worker would, once."""
        now_us = SystemClock().now_us()
        attempt = v1.Attempt(attempt=claimed.attempt, worker="hand", outcome=outcome)
        attempt.started_at_us = attempt.finished_at_us = now_us
        result = v1.JobResult(job_id=claimed.job_id, queue=claimed.queue, type="echo", attempt=attempt, **fields)
        await self.publish_results([result])

    async def publish_results(self, results: Sequence[v1.JobResult]) -> None:
        data = v1.JobResults(worker="hand", results=results).SerializeToString()
        await self.bus.publish_durable(Publication(self.bus.subjects.result, data, new_id()))

    async def hears(self, kind: str, job_id: str, times: int = 1) -> None:
        await wait_until(lambda: self.told[kind, job_id] >= times, f"{kind} of {job_id} is told, not {self.told}", 20)

    async def settled(self) -> None:
        """Returns when whatever was reported before has been applied and told of: then it is acknowledged."""
        stream = self.bus.subjects.stream(Stream.RESULTS)

        async def empty() -> bool:
            return (await self.bus.js.stream_info(stream)).state.messages == 0

        await wait_until(empty, "every result is acknowledged")
        # Their events were on the wire before; the marker comes after them.
        await self.hears("succeeded", await self._marker())

    async def _marker(self) -> str:
        marker = await self.insert("marker")
        await self.report(await self.claim(queue="marker"), v1.OUTCOME_SUCCESS)
        return marker


@contextlib.asynccontextmanager
async def desk(nats_url: str, namespace: str, storage: Storage, **settings: Any) -> AsyncIterator[Desk]:
    """A desk with a queue-manager behind it."""
    bus = await Bus.open(ServiceSettings.load(nats_url=nats_url, namespace=namespace), "desk")
    opened = Desk(bus, storage)
    await opened.listen()
    async with queue_manager(nats_url, namespace, storage, **settings):
        yield opened
    await bus.close()
