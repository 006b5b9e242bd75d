"""How people see schedules."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import orjson
from rich.markup import escape
from rich.table import Table

from gotask import v1
from gotask.cli.commands.output import record, table
from gotask.cli.commands.views import age, coloured, duration, json_cell, short
from gotask.jobs.states import name_of
from gotask.sdk.client.client import Client
from gotask.sdk.client.schedule import Fire, Schedule
from gotask.sdk.errors import NotFound

States = Mapping[str, v1.JobState.ValueType]
"""Of jobs, by their ids."""

_LEFT_OUT = ("message", "fires", "next_fires", "payload", "metadata", "paused")


async def states_of(client: Client, schedule: Schedule) -> dict[str, v1.JobState.ValueType]:
    """How the jobs of its fires stand; those that are not stored yet, or no more, are left out."""

    async def state(job_id: str) -> v1.JobState.ValueType | None:
        try:
            return (await client.get(job_id)).message.state
        except NotFound:
            return None

    ids = [fire.job_id for fire in schedule.fires if fire.job_id]
    found = zip(ids, await asyncio.gather(*map(state, ids)), strict=True)
    return {job_id: each for job_id, each in found if each is not None}


def schedule_table(schedules: Iterable[Schedule]) -> Table:
    return table(
        ("ID", "NAME", "CRON", "ZONE", "TYPE", "QUEUE", "NEXT>", "PAYLOAD", ""),
        (
            (
                each.id,
                short(each.name),
                escape(each.cron_expr),
                each.timezone,
                escape(each.job_type),
                each.queue,
                age(each.next_fire_at),
                json_cell(each.payload),
                "[yellow]paused[/yellow]" if each.paused else "",
            )
            for each in schedules
        ),
    )


def schedule_record(schedule: Schedule, states: States) -> Table:
    fields: list[tuple[str, object]] = [
        (name.replace("_", " "), _cell(getattr(schedule, name))) for name in schedule.__slots__ if name not in _LEFT_OUT
    ]
    fields += [
        ("payload", escape(_json(schedule.payload)) if schedule.payload is not None else None),
        ("metadata", escape(_json(schedule.metadata)) if schedule.metadata else None),
        ("paused", schedule.paused),
    ]
    fields += [("next", _cell(moment)) for moment in schedule.next_fires]
    fields += [("fire", _fire_line(fire, states.get(fire.job_id))) for fire in schedule.fires]
    return record(fields)


def _cell(value: object) -> object:
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, datetime):
        return f"{value} ({age(value)})"
    if isinstance(value, tuple):
        return escape(", ".join(map(str, value)))
    return escape(value) if isinstance(value, str) else value


def _fire_line(fire: Fire, state: v1.JobState.ValueType | None) -> str:
    if fire.since is not None:
        return f"{fire.since} to {fire.at} {fire.kind}"
    line = f"{fire.at} {fire.kind} {fire.job_id} {coloured(name_of(state)) if state else 'not there'}"
    return f"{line}: {escape(fire.refusal)}" if fire.refusal and state is None else line


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
