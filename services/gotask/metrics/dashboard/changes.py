"""What changed, gathered until somebody looks."""

import asyncio
import re
from dataclasses import dataclass, field

_EVENT = re.compile(rb'"job_id":"([^"]+)","queue":"([^"]+)"')


@dataclass(slots=True)
class Change:
    """Jobs and queues that something happened to; or *everything*, when it was too much to tell."""

    everything: bool = False
    jobs: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)

    def add(self, other: "Change") -> None:
        self.everything = self.everything or other.everything
        self.jobs |= other.jobs
        self.queues |= other.queues

    def of_queue(self, name: str) -> bool:
        return self.everything or name in self.queues

    def of_job(self, job_id: str) -> bool:
        return self.everything or job_id in self.jobs


def change_in(events: bytes) -> Change:
    """What a piece of the event stream tells. Events are not read further: pages ask for what they show."""
    change = Change()
    for job_id, queue in _EVENT.findall(events):
        change.jobs.add(job_id.decode())
        change.queues.add(queue.decode())
    return change


class Subscription:
    """Changes since the last look."""

    def __init__(self) -> None:
        self._change = Change()
        self._told = asyncio.Event()

    def tell(self, change: Change) -> None:
        self._change.add(change)
        self._told.set()

    async def take(self) -> Change:
        """Waits until there is something."""
        await self._told.wait()
        self._told.clear()
        change, self._change = self._change, Change()
        return change
