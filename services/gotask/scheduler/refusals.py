"""What is kept of fires whose jobs a queue-manager does not store."""

from collections.abc import Sequence

import structlog

from gotask import v1
from gotask.jobs.fires import fire_with
from gotask.scheduler.submitting import Refusal
from gotask.service.clock import Clock
from gotask.storage.contract import ScheduleChange, ScheduleStatus, Storage, StorageError

_log = structlog.get_logger("gotask.scheduler")

_TRIES = 5


class Refusals:
    """Writes the reason into the schedule's history.

    The fire stays open, and is offered again, until it is so old that it counts as missed: then it is given up.
    """

    def __init__(self, storage: Storage, clock: Clock, missed_after_us: int) -> None:
        self._storage = storage
        self._clock = clock
        self._missed_after_us = missed_after_us

    async def note(self, refusals: Sequence[Refusal]) -> None:
        """Tries a few times while the schedules are changed by others; what was not noted is refused again later."""
        first = refusals[0]
        _log.warning("fires refused", fires=len(refusals), job_type=first.fired.spec.type, reason=first.reason)
        by_schedule: dict[str, list[Refusal]] = {}
        for refusal in refusals:
            by_schedule.setdefault(refusal.fired.spec.schedule_id, []).append(refusal)
        try:
            for _ in range(_TRIES):
                by_schedule = await self._note(by_schedule)
                if not by_schedule:
                    return
        except StorageError as error:
            _log.warning("refusals not noted", error=str(error))

    async def _note(self, by_schedule: dict[str, list[Refusal]]) -> dict[str, list[Refusal]]:
        """Those whose schedules were changed meanwhile."""
        now_us = self._clock.now_us()
        schedules = await self._storage.get_schedules(sorted(by_schedule))
        changes = [change for each in schedules if (change := self._change(each, by_schedule[each.id], now_us))]
        statuses = await self._storage.change_schedules(changes, now_us)
        return {
            change.schedule.id: by_schedule[change.schedule.id]
            for change, status in zip(changes, statuses, strict=True)
            if status is ScheduleStatus.STALE
        }

    def _change(self, schedule: v1.Schedule, refusals: list[Refusal], now_us: int) -> ScheduleChange | None:
        closes = [
            refusal.fired.spec.id for refusal in refusals if refusal.fired.fire.at_us < now_us - self._missed_after_us
        ]
        noted = False
        for refusal in refusals:
            fire = fire_with(schedule, refusal.fired.spec.id)
            if fire is not None and fire.refusal != refusal.reason:
                fire.refusal = refusal.reason
                noted = True
        return ScheduleChange(schedule, closes=closes) if closes or noted else None
