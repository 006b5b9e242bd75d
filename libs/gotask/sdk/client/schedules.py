"""What can be done with schedules."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.jobs.ids import new_id
from gotask.jobs.schedule_request import ScheduleRequest
from gotask.jobs.schedules import check_schedule
from gotask.jobs.validation import InvalidJob
from gotask.sdk.client import transport as verbs
from gotask.sdk.client.new_job import NewJob
from gotask.sdk.client.options import ScheduleChanges, ScheduleOptions, checked
from gotask.sdk.client.schedule import Schedule
from gotask.sdk.client.transport import Transport
from gotask.sdk.errors import InvalidArgument

_FROM_JOB = (
    "queue",
    "priority",
    "max_retries",
    "retry_strategy",
    "retry_delay",
    "max_retry_delay",
    "retry_jitter",
    "timeout",
    "ttl",
    "unique_key",
    "tags",
    "metadata",
)
_NOT_RECURRING = ("delay", "scheduled_at", "expires_at", "idempotency_key")


class Schedules:
    """``client.schedules``. Every call but ``create`` and ``list`` raises NotFound for one that does not exist.

    await client.schedules.create("nightly", "0 2 * * *", report.job(day="yesterday"), timezone="Europe/Berlin")
    await client.schedules.create("ping", "@every 90s", "echo", {"message": "ping"})
    """

    def __init__(self, transport: Callable[[], Transport]) -> None:
        self._transport = transport

    async def create(
        self,
        name: str,
        cron_expr: str,
        job: NewJob[Any] | str,
        payload: Any = None,
        /,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """Submits a job at every tick from now on. AlreadyExists when the name is taken.

        :param cron_expr: five fields, six with seconds first, @hourly ..., or "@every 90s".
        :param job: a type, with its payload; or a handler's ``job(...)``.
        """
        wanted = self._wanted(new_id(), _definition(name, cron_expr, job, payload, options))
        return Schedule.of(await self._transport().call(verbs.CREATE_SCHEDULE, wanted))

    async def replace(
        self,
        schedule_id: str,
        name: str,
        cron_expr: str,
        job: NewJob[Any] | str,
        payload: Any = None,
        /,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """As ``create``, in place of one there is: what is not given takes its default again. Its history stays, and
        whether it is paused."""
        wanted = self._wanted(schedule_id, _definition(name, cron_expr, job, payload, options))
        return Schedule.of(await self._transport().call(verbs.UPDATE_SCHEDULE, wanted))

    async def update(self, schedule_id: str, **changes: Unpack[ScheduleChanges]) -> Schedule:
        """Changes what is given, and leaves the rest; None takes away what need not be there. Of two updates at once
        the later may undo the earlier."""
        stored = await self.get(schedule_id)
        wanted = self._wanted(schedule_id, {**_definition_of(stored), **changes})
        return Schedule.of(await self._transport().call(verbs.UPDATE_SCHEDULE, wanted))

    async def get(self, schedule_id: str) -> Schedule:
        """With its last fires."""
        return Schedule.of(await self._transport().call(verbs.GET_SCHEDULE, v1.ScheduleId(id=schedule_id)))

    async def list(self) -> Sequence[Schedule]:
        """All of them, by name."""
        found = await self._transport().call(verbs.LIST_SCHEDULES, Empty())
        return [Schedule.of(schedule) for schedule in found.schedules]

    async def delete(self, schedule_id: str) -> None:
        """Jobs that it has submitted stay."""
        await self._transport().call(verbs.DELETE_SCHEDULE, v1.ScheduleId(id=schedule_id))

    async def pause(self, schedule_id: str) -> Schedule:
        """It fires no more until it is resumed."""
        return Schedule.of(await self._transport().call(verbs.PAUSE_SCHEDULE, v1.ScheduleId(id=schedule_id)))

    async def resume(self, schedule_id: str) -> Schedule:
        """Ends a pause. Ticks that came meanwhile count as missed: ``missed`` says what becomes of them."""
        return Schedule.of(await self._transport().call(verbs.RESUME_SCHEDULE, v1.ScheduleId(id=schedule_id)))

    async def run(self, schedule_id: str) -> Schedule:
        """Fires now, besides the ticks, whatever ``overlap`` says and also while it is paused. The newest of ``fires``
        that is manual has the job, which is on its way."""
        return Schedule.of(await self._transport().call(verbs.RUN_SCHEDULE, v1.ScheduleId(id=schedule_id)))

    def _wanted(self, schedule_id: str, definition: Mapping[str, Any]) -> v1.Schedule:
        """InvalidArgument names what is wrong."""
        request = checked(ScheduleRequest, {name: each for name, each in definition.items() if name != "payload"})
        request.payload = definition.get("payload")
        try:
            schedule = request.to_schedule(schedule_id, self._transport().now_us())
            check_schedule(schedule)
        except InvalidJob as error:
            raise InvalidArgument(error.reason, error.field) from None
        return schedule


def _definition(
    name: str, cron_expr: str, job: NewJob[Any] | str, payload: Any, options: ScheduleOptions
) -> dict[str, Any]:
    definition: dict[str, Any] = {"name": name, "cron_expr": cron_expr}
    if isinstance(job, NewJob):
        definition |= _of_job(job)
    else:
        definition |= {"job_type": job, "payload": payload}
    return {**definition, **options}


def _of_job(job: NewJob[Any]) -> dict[str, Any]:
    request = job.request
    for field in _NOT_RECURRING:
        if getattr(request, field) is not None:
            raise InvalidArgument("a job that recurs cannot have one", field)
    given = {name: getattr(request, name) for name in _FROM_JOB if name in request.model_fields_set}
    return {"job_type": request.type, "payload": request.payload, **_as_written(given)}


def _as_written(fields: dict[str, Any]) -> dict[str, Any]:
    """Durations, which are held in microseconds, in seconds again."""
    durations = ("retry_delay", "max_retry_delay", "timeout", "ttl")
    return {name: value / 1e6 if name in durations and value is not None else value for name, value in fields.items()}


def _definition_of(schedule: Schedule) -> dict[str, Any]:
    """What users set of it."""
    values = {name: getattr(schedule, name) for name in ScheduleRequest.model_fields}
    return {name: value for name, value in values.items() if value is not None}
