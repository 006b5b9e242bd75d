"""The verbs about schedules, said over NATS."""

from collections.abc import Mapping

from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.jobs.ids import new_id
from gotask.sdk.client.nats.handler import Handler, command
from gotask.sdk.client.nats.link import Link
from gotask.sdk.client.nats.listing import listing


async def _delete(link: Link, request: v1.ScheduleId) -> Empty:
    """The command may be repeated, so it does not tell whether there was one."""
    await link.command("get_schedule", request, v1.Schedule)
    await link.command("delete_schedule", request, v1.ScheduleId)
    return Empty()


async def _run(link: Link, request: v1.ScheduleId) -> v1.Schedule:
    return await link.command("run_schedule", v1.RunSchedule(id=request.id, job_id=new_id()), v1.Schedule)


HANDLERS: Mapping[str, Handler] = {
    "CreateSchedule": command("create_schedule", v1.Schedule),
    "ListSchedules": listing("list_schedules", v1.FoundSchedules, v1.ScheduleList, "schedules", "name"),
    "GetSchedule": command("get_schedule", v1.Schedule),
    "UpdateSchedule": command("update_schedule", v1.Schedule),
    "DeleteSchedule": _delete,
    "PauseSchedule": command("pause_schedule", v1.Schedule),
    "ResumeSchedule": command("resume_schedule", v1.Schedule),
    "RunSchedule": _run,
}
