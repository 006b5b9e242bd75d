"""Events as the queue-manager publishes them, and a counter of them."""

import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.metrics.counting import EventCounter
from gotask.metrics.settings import MetricsSettings
from gotask.metrics.tally import Tally
from gotask.service.clock import SystemClock

_ids = itertools.count()


def events(kind: v1.EventKind.ValueType = v1.EVENT_KIND_CREATED, jobs: int = 1, **fields: Any) -> v1.EventBatch:
    """A batch of events of *jobs* jobs, of the type ``echo`` in the queue ``default`` if not told otherwise."""
    defaults = {"queue": "default", "type": "echo", "at_us": time.time_ns() // 1000}
    return v1.EventBatch(kind=kind, job_ids=[f"job-{index}" for index in range(jobs)], **{**defaults, **fields})


async def publish(bus: Bus, *batches: v1.EventBatch) -> None:
    """One message with these batches."""
    subject = bus.subjects.event(batches[0].queue, batches[0].kind)
    data = v1.JobEvents(batches=batches).SerializeToString()
    await bus.publish_durable(Publication(subject, data, f"event-{next(_ids)}"), deadline_s=20)


class Counting:
    """A counter that runs, and its tally."""

    def __init__(self, bus: Bus, save_every_s: float) -> None:
        self.clock = SystemClock()
        self.tally = Tally(MetricsSettings.load())
        self.counter = EventCounter(bus, self.tally, self.clock, save_every_s)

    @property
    def created(self) -> int:
        self.tally.settle(self.clock.now_us())
        return self.tally.jobs["created"]


@contextlib.asynccontextmanager
async def counting(bus: Bus, save_every_s: float = 0.05) -> AsyncIterator[Counting]:
    running = Counting(bus, save_every_s)
    await running.counter.start()
    try:
        yield running
    finally:
        await running.counter.stop()
