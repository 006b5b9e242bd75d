"""``gotask schedules``: jobs that recur."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gotask.cli.commands.command import command
from gotask.cli.commands.options import SCHEDULE, SCHEDULE_CHANGES, ScheduleId, ScheduleIds
from gotask.cli.commands.written import fields_as_written, json_argument

if TYPE_CHECKING:
    from gotask.cli.commands.session import Session
    from gotask.sdk.client.schedule import Schedule

app = typer.Typer(help="See to jobs that recur.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Unlike that of any other schedule.", show_default=False)]
Cron = Annotated[
    str,
    typer.Argument(
        metavar="CRON", help="Five fields, six with seconds first, @hourly ..., or '@every 90s'.", show_default=False
    ),
]
Type = Annotated[str, typer.Argument(metavar="TYPE", help="The handler's name.", show_default=False)]
Payload = Annotated[
    str, typer.Argument(metavar="[PAYLOAD]", help="The jobs' payload as JSON; - reads it from standard input.")
]


@command(app, "list")
async def list_schedules(session: "Session") -> None:
    """Lists all schedules, by name."""
    from gotask.cli.commands.schedule_views import schedule_table
    from gotask.gateway.rest.schedule_document import schedule_document

    found = await session.client.schedules.list()
    session.out.show(
        lambda: {"items": [schedule_document(each.message) for each in found], "next_cursor": None},
        lambda: schedule_table(found),
    )


@command(app, "get")
async def get(session: "Session", schedule_id: ScheduleId) -> None:
    """Shows a schedule, its last fires, and how their jobs stand."""
    await _show(session, await session.client.schedules.get(schedule_id))


@command(app, "create", SCHEDULE)
async def create(
    session: "Session", name: Name, cron_expr: Cron, job_type: Type, payload: Payload = "null", **options: Any
) -> None:
    """Submits a job at every tick from now on."""
    given = fields_as_written(options)
    await _show(
        session, await session.client.schedules.create(name, cron_expr, job_type, json_argument(payload), **given)
    )


@command(app, "replace", SCHEDULE)
async def replace(
    session: "Session",
    schedule_id: ScheduleId,
    name: Name,
    cron_expr: Cron,
    job_type: Type,
    payload: Payload = "null",
    **options: Any,
) -> None:
    """Replaces all of a schedule: what is not given takes its default again. History and pause stay."""
    given = fields_as_written(options)
    schedules = session.client.schedules
    await _show(
        session, await schedules.replace(schedule_id, name, cron_expr, job_type, json_argument(payload), **given)
    )


@command(app, "update", SCHEDULE_CHANGES)
async def update(session: "Session", schedule_id: ScheduleId, **changes: Any) -> None:
    """Changes what is given; the rest stays."""
    if not changes:
        raise typer.BadParameter("give at least one thing to change")
    given = fields_as_written(changes)
    if "payload" in given:
        given["payload"] = json_argument(given["payload"])
    await _show(session, await session.client.schedules.update(schedule_id, **given))


@command(app, "delete")
async def delete(session: "Session", schedule_ids: ScheduleIds) -> None:
    """Deletes schedules. Jobs that they have submitted stay."""
    for schedule_id in schedule_ids:
        await session.client.schedules.delete(schedule_id)
        session.out.note(f"schedule {schedule_id} is deleted")


@command(app, "pause")
async def pause(session: "Session", schedule_ids: ScheduleIds) -> None:
    """They fire no more until they are resumed."""
    for schedule_id in schedule_ids:
        await _show(session, await session.client.schedules.pause(schedule_id))


@command(app, "resume")
async def resume(session: "Session", schedule_ids: ScheduleIds) -> None:
    """Ends a pause."""
    for schedule_id in schedule_ids:
        await _show(session, await session.client.schedules.resume(schedule_id))


@command(app, "run")
async def run(session: "Session", schedule_id: ScheduleId) -> None:
    """Fires now, besides the ticks, also while it is paused."""
    await _show(session, await session.client.schedules.run(schedule_id))


async def _show(session: "Session", schedule: "Schedule") -> None:
    from gotask.cli.commands.schedule_views import schedule_record, states_of
    from gotask.gateway.rest.schedule_document import full_schedule_document
    from gotask.gateway.schedules import ScheduleHistory

    states = await states_of(session.client, schedule)
    history = ScheduleHistory(schedule.message, states)
    session.out.show(lambda: full_schedule_document(history), lambda: schedule_record(schedule, states))
