"""Reports of workers behind the gateway: many workers, one message."""

import asyncio
import uuid
from collections.abc import Awaitable

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import Code, CommandError, MessageTooLarge
from gotask.bus.group_commit import GroupCommit

_MAX_RESULTS = 1_000
_FIELD_BYTES = 8


class Reports:
    """Stores outcomes and progress in the RESULTS stream."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._results: GroupCommit[v1.JobResult, None] = GroupCommit(
            self._flush,
            max_items=_MAX_RESULTS,
            max_bytes=bus.max_payload // 2,
            size_of=lambda result: result.ByteSize() + _FIELD_BYTES,
            concurrency=2,
        )

    async def stop(self) -> None:
        await self._results.drain()

    async def report(self, report: v1.JobResults) -> None:
        """Returns when all of it is stored. BusError when it is not."""
        waits: list[Awaitable[None]] = [self._results.submit(result) for result in report.results]
        if report.progress:
            told = v1.JobResults(worker=report.worker, progress=report.progress)
            waits.append(self._publish(told, "progress"))
        await asyncio.gather(*waits)

    async def _flush(self, results: list[v1.JobResult]) -> list[None]:
        await self._publish(v1.JobResults(worker=results[0].attempt.worker, results=results), "results")
        return [None] * len(results)

    async def _publish(self, message: v1.JobResults, field: str) -> None:
        publication = Publication(self._bus.subjects.result, message.SerializeToString(), f"{field}:{uuid.uuid4().hex}")
        try:
            await self._bus.publish_durable(publication)
        except MessageTooLarge as error:
            raise CommandError(Code.INVALID_ARGUMENT, f"too large for the broker: {error}", field) from None
