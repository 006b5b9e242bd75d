"""Schedules, over every way."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gotask.sdk import App, Client, NewJob
from gotask.sdk.errors import AlreadyExists, InvalidArgument, NotFound
from tests.sdk.client.conftest import Place
from tests.services.gateway.support import scheduler

app = App()


@app.job("report", queue="reports", max_retries=2, timeout="90s")
async def report(day: str) -> str:
    return day


@pytest.fixture(autouse=True)
async def serves(place: Place) -> AsyncIterator[None]:
    async with scheduler(place.nats_url, place.namespace, place.storage):
        yield


async def test_a_schedule_lives(client: Client) -> None:
    made = await client.schedules.create(
        "nightly", "0 2 * * *", "report", {"day": "monday"}, timezone="Europe/Berlin", overlap="skip", tags=["night"]
    )
    assert (made.name, made.job_type, made.queue, made.payload) == ("nightly", "report", "default", {"day": "monday"})
    assert (made.cron_expr, made.timezone, made.missed, made.overlap) == ("0 2 * * *", "Europe/Berlin", "skip", "skip")
    assert (made.paused, made.max_retries, made.tags, len(made.next_fires)) == (False, None, ("night",), 5)
    assert made.next_fire_at is not None
    assert made.next_fire_at > datetime.now(UTC)
    with pytest.raises(AlreadyExists, match="there is another schedule 'nightly'"):
        await client.schedules.create("nightly", "@daily", "report")
    assert (await client.schedules.pause(made.id)).paused
    paused = await client.schedules.get(made.id)
    assert (paused.paused, paused.next_fire_at) == (True, None)
    assert not (await client.schedules.resume(made.id)).paused
    await client.schedules.create("hourly", "@hourly", "report")
    assert [each.name for each in await client.schedules.list()] == ["hourly", "nightly"]
    await client.schedules.delete(made.id)
    assert [each.name for each in await client.schedules.list()] == ["hourly"]


async def test_an_update_leaves_the_rest_and_a_replacement_does_not(client: Client) -> None:
    made = await client.schedules.create(
        "a", "@every 90s", "echo", 1, jitter="5s", retry_delay="2s", ends_at=datetime(2100, 1, 1, tzinfo=UTC), ttl="1m"
    )
    changed = await client.schedules.update(made.id, name="b", payload={"n": 2}, max_retries=0, ends_at=None)
    assert (changed.name, changed.payload, changed.max_retries, changed.ends_at) == ("b", {"n": 2}, 0, None)
    assert (changed.jitter, changed.retry_delay, changed.ttl) == (
        timedelta(seconds=5),
        timedelta(seconds=2),
        timedelta(minutes=1),
    )
    assert changed.id == made.id
    replaced = await client.schedules.replace(made.id, "c", "@every 2m", "echo")
    assert (replaced.name, replaced.payload, replaced.jitter, replaced.ttl) == ("c", None, timedelta(), None)
    assert (replaced.id, replaced.max_retries, replaced.created_at) == (made.id, None, made.created_at)


async def test_it_is_run_by_hand(client: Client, place: Place) -> None:
    await place.start_worker(app)
    made = await client.schedules.create("daily", "@daily", "report", {"day": "today"})
    ran = await client.schedules.run(made.id)
    assert [fire.kind for fire in ran.fires] == ["manual"]
    assert await client.result(ran.fires[0].job_id, "20s") == "today"
    assert (await client.schedules.get(made.id)).fires[0].job_id == ran.fires[0].job_id


async def test_a_handler_recurs_with_its_options(client: Client) -> None:
    made = await client.schedules.create("typed", "@daily", report.job(day="friday"), missed="one")
    assert (made.job_type, made.payload, made.queue) == ("report", {"day": "friday"}, "reports")
    assert (made.max_retries, made.timeout, made.missed) == (2, timedelta(seconds=90), "one")
    with pytest.raises(InvalidArgument, match="delay: a job that recurs cannot have one"):
        await client.schedules.create("x", "@daily", NewJob("report", delay="5s"))


async def test_wrong_input_is_named(client: Client) -> None:
    for wrong, field in {"61 * * * *": "cron_expr", "@every 1ms": "cron_expr"}.items():
        with pytest.raises(InvalidArgument) as refusal:
            await client.schedules.create("x", wrong, "echo")
        assert refusal.value.field == field
    with pytest.raises(InvalidArgument, match="timezone: ") as refusal:
        await client.schedules.create("x", "@daily", "echo", timezone="Mars/Olympus")
    with pytest.raises(InvalidArgument, match="payload: is not JSON"):
        await client.schedules.create("x", "@daily", "echo", object())
    with pytest.raises(InvalidArgument, match="ends_at: the schedule would never fire"):
        await client.schedules.create("x", "@daily", "echo", ends_at=datetime(2020, 1, 1, tzinfo=UTC))


async def test_one_that_is_not_there_is_named(client: Client) -> None:
    schedules = client.schedules
    for call in (schedules.get, schedules.pause, schedules.resume, schedules.run, schedules.delete, schedules.update):
        for missing in ("019f0000-0000-7000-8000-000000000000", "x"):
            with pytest.raises(NotFound, match=f"there is no schedule {missing}"):
                await call(missing)


async def test_more_than_a_message_holds_are_listed(client: Client) -> None:
    for number in range(12):
        await client.schedules.create(f"large-{number:02}", "@daily", "echo", "x" * 200_000)
    assert [each.name for each in await client.schedules.list()] == [f"large-{number:02}" for number in range(12)]
