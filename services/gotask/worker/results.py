"""Results: gathered, published together, and kept until the broker has them."""

import asyncio
import random
import uuid
from collections.abc import Callable, Iterable

import structlog

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.bus.errors import BusUnavailable, MessageTooLarge, StreamFull
from gotask.bus.group_commit import GroupCommit
from gotask.jobs.wire import field
from gotask.sdk.attempt.failures import plain
from gotask.worker.running import RunningJob

_log = structlog.get_logger("gotask.worker")

_PROGRESS_EVERY_S = 0.1
_MAX_RESULTS = 1_000
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0

_RESULTS = b"\x12"

_Ended = tuple[RunningJob, bytes]
"""With the job's result as it stands in a serialized v1.JobResults: joining these is a third of the cost of making the
message of its parts."""


class Results:
    """Publishes JobResults. *on_stored* hears of the jobs whose results the broker has on disk."""

    def __init__(self, bus: Bus, worker_id: str, on_stored: Callable[[Iterable[RunningJob]], None]) -> None:
        self._bus = bus
        self._worker_id = worker_id
        self._head = v1.JobResults(worker=worker_id).SerializeToString()
        self._on_stored = on_stored
        self._commit: GroupCommit[_Ended, None] = GroupCommit(
            self._publish,
            max_items=_MAX_RESULTS,
            max_bytes=bus.max_payload // 2,
            size_of=lambda ended: len(ended[1]),
            concurrency=2,
            sizes=bus.measures.batches["results"],
        )
        self._progress: dict[str, v1.JobProgress] = {}
        self._reporting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._reporting = asyncio.create_task(self._report())

    async def stop(self) -> None:
        """Returns when every result is stored."""
        if self._reporting is not None:
            self._reporting.cancel()
        await self._commit.drain()

    def submit(self, job: RunningJob, result: v1.JobResult) -> None:
        """Takes a job's result; it is not lost while the process lives."""
        self._progress.pop(job.job_id, None)
        self._commit.submit((job, _serialized(result)))

    def progress(self, progress: v1.JobProgress) -> None:
        """The newest progress of a job; earlier ones that were not sent are dropped. Callable from any thread."""
        self._progress[progress.job_id] = progress

    async def _publish(self, ended: list[_Ended]) -> list[None]:
        message = b"".join((self._head, *(result for _, result in ended)))
        publication = Publication(self._bus.subjects.result, message, f"results:{uuid.uuid4().hex}")
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._bus.publish_durable(publication)
            except MessageTooLarge:
                # Only a message of one result can be: the batch is cut far below the limit.
                return await self._publish([(job, _too_large(result)) for job, result in ended])
            except (BusUnavailable, StreamFull) as error:
                _log.warning("results wait for the broker", results=len(ended), error=str(error))
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                self._on_stored(job for job, _ in ended)
                return [None] * len(ended)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_EVERY_S)
            if not self._progress:
                continue
            newest, self._progress = self._progress, {}
            message = v1.JobResults(worker=self._worker_id, progress=newest.values()).SerializeToString()
            publication = Publication(self._bus.subjects.result, message, f"progress:{uuid.uuid4().hex}")
            try:
                await self._bus.publish_durable(publication, deadline_s=2)
            except (BusUnavailable, StreamFull, MessageTooLarge) as error:
                _log.warning("progress not sent", error=str(error))


def _serialized(result: v1.JobResult) -> bytes:
    return field(_RESULTS, result.SerializeToString())


def _too_large(serialized: bytes) -> bytes:
    result = v1.JobResults.FromString(serialized).results[0]
    failure = v1.JobResult(job_id=result.job_id, queue=result.queue, type=result.type, no_retry=True)
    failure.attempt.CopyFrom(result.attempt)
    failure.attempt.outcome = v1.OUTCOME_FAILURE
    failure.attempt.error.CopyFrom(plain("InvalidResult", "the result is larger than a message may be"))
    return _serialized(failure)
