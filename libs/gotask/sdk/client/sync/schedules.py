"""What can be done with schedules, for code without an event loop."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from gotask.sdk.client.new_job import NewJob
from gotask.sdk.client.options import ScheduleChanges, ScheduleOptions
from gotask.sdk.client.sync.run import Run

if TYPE_CHECKING:
    from gotask.sdk.client.schedule import Schedule


class SyncSchedules:
    """As :class:`~gotask.sdk.client.schedules.Schedules`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def create(
        self,
        name: str,
        cron_expr: str,
        job: NewJob[Any] | str,
        payload: Any = None,
        /,
        **options: Unpack[ScheduleOptions],
    ) -> "Schedule":
        return self._run(lambda client: client.schedules.create(name, cron_expr, job, payload, **options))

    def replace(
        self,
        schedule_id: str,
        name: str,
        cron_expr: str,
        job: NewJob[Any] | str,
        payload: Any = None,
        /,
        **options: Unpack[ScheduleOptions],
    ) -> "Schedule":
        return self._run(lambda client: client.schedules.replace(schedule_id, name, cron_expr, job, payload, **options))

    def update(self, schedule_id: str, **changes: Unpack[ScheduleChanges]) -> "Schedule":
        return self._run(lambda client: client.schedules.update(schedule_id, **changes))

    def get(self, schedule_id: str) -> "Schedule":
        return self._run(lambda client: client.schedules.get(schedule_id))

    def list(self) -> Sequence["Schedule"]:
        return self._run(lambda client: client.schedules.list())

    def delete(self, schedule_id: str) -> None:
        self._run(lambda client: client.schedules.delete(schedule_id))

    def pause(self, schedule_id: str) -> "Schedule":
        return self._run(lambda client: client.schedules.pause(schedule_id))

    def resume(self, schedule_id: str) -> "Schedule":
        return self._run(lambda client: client.schedules.resume(schedule_id))

    def run(self, schedule_id: str) -> "Schedule":
        return self._run(lambda client: client.schedules.run(schedule_id))
