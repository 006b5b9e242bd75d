"""gotask.v1.ScheduleService."""

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.gateway.access.caller import Caller
from gotask.gateway.schedules import Schedules
from gotask.jobs.ids import new_id
from gotask.jobs.limits import DEFAULT_QUEUE
from gotask.jobs.schedules import check_schedule
from gotask.service.clock import Clock

_PAGE = 500


class ScheduleService:
    """Each method answers the call of its name."""

    def __init__(self, clock: Clock, schedules: Schedules, max_payload_bytes: int) -> None:
        self._clock = clock
        self._schedules = schedules
        self._max_payload_bytes = max_payload_bytes

    async def create_schedule(self, caller: Caller, request: v1.Schedule) -> v1.Schedule:
        return await self._schedules.create(caller, self._wanted(request, new_id()))

    async def list_schedules(self, caller: Caller, _request: Empty) -> v1.ScheduleList:
        found: list[v1.Schedule] = []
        while piece := await self._schedules.list_schedules(caller, found[-1].name if found else "", _PAGE):
            found += piece
        return v1.ScheduleList(schedules=found)

    async def get_schedule(self, caller: Caller, request: v1.ScheduleId) -> v1.Schedule:
        return await self._schedules.get(caller, request.id)

    async def update_schedule(self, caller: Caller, request: v1.Schedule) -> v1.Schedule:
        return await self._schedules.replace(caller, self._wanted(request, request.id))

    async def delete_schedule(self, caller: Caller, request: v1.ScheduleId) -> Empty:
        await self._schedules.delete(caller, request.id)
        return Empty()

    async def pause_schedule(self, caller: Caller, request: v1.ScheduleId) -> v1.Schedule:
        return await self._schedules.pause(caller, request.id)

    async def resume_schedule(self, caller: Caller, request: v1.ScheduleId) -> v1.Schedule:
        return await self._schedules.resume(caller, request.id)

    async def run_schedule(self, caller: Caller, request: v1.ScheduleId) -> v1.Schedule:
        return await self._schedules.run(caller, request.id)

    def _wanted(self, request: v1.Schedule, schedule_id: str) -> v1.Schedule:
        """What the caller may set of it, with the defaults of the rest; InvalidJob names a field that is wrong."""
        schedule = v1.Schedule(
            id=schedule_id,
            name=request.name,
            cron_expr=request.cron_expr,
            timezone=request.timezone or "UTC",
            job=request.job,
            missed=request.missed or v1.MISSED_POLICY_SKIP,
            overlap=request.overlap or v1.OVERLAP_POLICY_ALLOW,
            starts_at_us=request.starts_at_us,
            ends_at_us=request.ends_at_us,
            jitter_us=request.jitter_us,
            ttl_us=request.ttl_us,
            created_at_us=self._clock.now_us(),
        )
        schedule.job.queue = schedule.job.queue or DEFAULT_QUEUE
        check_schedule(schedule, self._max_payload_bytes)
        return schedule
