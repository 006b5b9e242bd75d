"""Schedules and dead letters in a sandbox."""

from datetime import UTC, datetime, timedelta

import pytest

from gotask.sdk import App, JobContext
from gotask.sdk.errors import AlreadyExists, NotFound
from gotask.sdk.testing import Sandbox, SyncSandbox

app = App()


@app.job("report")
async def report(context: JobContext, day: str) -> str:
    return day


@app.job("break", max_retries=0)
async def break_down() -> None:
    raise RuntimeError("no")


async def test_a_schedule_fires_as_the_clock_comes_to_its_ticks() -> None:
    async with Sandbox(app) as sandbox:
        schedules = sandbox.client.schedules
        made = await schedules.create("hourly", "0 * * * *", report.job(day="today"))
        assert await sandbox.advance("150m") == 2
        jobs = (await sandbox.client.list()).items
        assert [job.scheduled_at for job in jobs] == [
            datetime(2030, 1, 1, 2, tzinfo=UTC),
            datetime(2030, 1, 1, 1, tzinfo=UTC),
        ]
        assert [fire.job_id for fire in (await schedules.get(made.id)).fires] == [job.id for job in jobs]
        await schedules.pause(made.id)
        assert await sandbox.advance("2h") == 0
        resumed = await schedules.resume(made.id)
        assert resumed.next_fire_at == datetime(2030, 1, 1, 5, tzinfo=UTC)


async def test_ticks_are_passed_over_while_the_last_job_waits() -> None:
    async with Sandbox(app) as sandbox:
        await sandbox.client.queues.create("default")
        await sandbox.client.queues.pause("default")
        made = await sandbox.client.schedules.create("often", "@every 1m", report.job(day="x"), overlap="skip")
        await sandbox.advance("3m")
        assert [fire.kind for fire in (await sandbox.client.schedules.get(made.id)).fires] == ["overlapped", "tick"]


async def test_a_full_queue_refuses_a_fire_and_it_is_told() -> None:
    async with Sandbox(app) as sandbox:
        await sandbox.client.queues.create("small", max_length=1)
        await sandbox.client.queues.pause("small")
        made = await sandbox.client.schedules.create("often", "@every 1m", "report", {"day": "x"}, queue="small")
        await sandbox.advance("2m")
        newest, first = (await sandbox.client.schedules.get(made.id)).fires
        assert (newest.refusal, first.refusal) == ("queue 'small' is full", "")


def test_it_is_run_and_changed_by_hand() -> None:
    with SyncSandbox(app, eager=True) as sandbox:
        schedules = sandbox.client.schedules
        made = schedules.create("daily", "@daily", report.job(day="today"))
        ran = schedules.run(made.id)
        assert sandbox.client.get(ran.fires[0].job_id).succeeded
        assert schedules.update(made.id, name="weekly", cron_expr="@weekly").cron_expr == "@weekly"
        schedules.create("daily", "@daily", "report")
        with pytest.raises(AlreadyExists, match="there is another schedule 'daily'"):
            schedules.update(made.id, name="daily")
        assert schedules.replace(made.id, "monthly", "@monthly", "report").payload is None
        assert [each.name for each in schedules.list()] == ["daily", "monthly"]
        schedules.delete(made.id)
        for call in (schedules.get, schedules.delete, schedules.pause, schedules.run):
            with pytest.raises(NotFound, match=f"there is no schedule {made.id}"):
                call(made.id)


async def test_draining_waits_for_jobs_and_not_for_schedules() -> None:
    async with Sandbox(app) as sandbox:
        await sandbox.client.schedules.create("often", "@every 1m", report.job(day="x"))
        await report.options(delay="150s").submit(day="later")
        assert await sandbox.drain() == 3
        assert sandbox.now == datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=150)


def test_dead_letters_are_seen_to() -> None:
    with SyncSandbox(app) as sandbox:
        handles = sandbox.client.submit_many([break_down.job() for _ in range(3)])
        sandbox.drain()
        dead = sandbox.client.dead
        assert [job.id for job in dead.iterate("default", error_type="RuntimeError")] == [
            each.id for each in handles[::-1]
        ]
        assert dead.list("default", error_type="KeyError").items == []
        assert dead.retry("default", [handles[0].id]).count == 1
        assert handles[0].get().status == "pending"
        assert (dead.purge("default").count, dead.purge("default").count) == (2, 0)
        with pytest.raises(NotFound, match="there is no queue 'x'"):
            dead.list("x")


def test_a_queue_is_purged() -> None:
    with SyncSandbox(app) as sandbox:
        waiting = sandbox.client.submit_many([break_down.job() for _ in range(3)])
        assert sandbox.client.queues.purge("default").cancelled == 3
        sandbox.drain()
        assert [handle.get().status for handle in waiting] == ["cancelled"] * 3
        with pytest.raises(NotFound, match="there is no queue 'x'"):
            sandbox.client.queues.purge("x")
