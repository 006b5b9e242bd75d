"""Schedules over REST: a gateway, a scheduler and a queue-manager."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gotask.gateway.rest.schemas import FullSchedule, ScheduleList
from gotask.storage.contract import Storage
from tests.services.gateway.support import API, Door, gateway, problem, scheduler
from tests.support.servers import Server
from tests.support.waiting import wait_until

URL = f"{API}/schedules"
YEARLY: dict[str, Any] = {"name": "yearly", "job_type": "echo", "cron_expr": "@yearly"}


@pytest.fixture
async def office(door: Door, nats: Server, namespace: str, storage: Storage) -> AsyncIterator[Door]:
    """A door with a scheduler behind it, too."""
    async with scheduler(nats.address, namespace, storage):
        yield door


async def create(office: Door, **fields: Any) -> FullSchedule:
    response = await office.http.post(URL, json=YEARLY | fields)
    assert response.status_code == 201, response.text
    return FullSchedule.model_validate_json(response.content)


async def get(office: Door, schedule_id: str) -> FullSchedule:
    response = await office.http.get(f"{URL}/{schedule_id}")
    assert response.status_code == 200, response.text
    return FullSchedule.model_validate_json(response.content)


@pytest.mark.parametrize("storage", ["memory", "redis"], indirect=True)
async def test_a_schedule_is_created_found_replaced_and_deleted(office: Door) -> None:
    created = await office.http.post(
        URL,
        content=b'{"name":"daily-backup","job_type":"backup","queue":"maintenance","cron_expr":"0 2 * * *",'
        b'"payload":{"database":"production","destination":"s3://backups/"}}',
        headers={"Content-Type": "application/json"},
    )
    assert created.status_code == 201, created.text
    schedule = FullSchedule.model_validate_json(created.content)
    assert created.headers["location"] == f"{URL}/{schedule.id}"
    assert (schedule.job_type, schedule.queue, schedule.timezone) == ("backup", "maintenance", "UTC")
    assert schedule.payload == {"database": "production", "destination": "s3://backups/"}
    assert (schedule.missed, schedule.overlap, schedule.jitter, schedule.fires) == ("skip", "allow", "0s", [])
    now = datetime.now(UTC)
    first = schedule.next_fires[0]
    assert now < first <= now + timedelta(days=1)
    assert schedule.next_fires == [first.replace(hour=2, minute=0) + timedelta(days=day) for day in range(5)]
    assert schedule.next_fire_at == first
    assert (await office.http.get(f"{URL}/{schedule.id}")).json() == created.json()

    replaced = await office.http.put(f"{URL}/{schedule.id}", json=YEARLY | {"priority": 7, "timeout": "1m"})
    assert replaced.status_code == 200, replaced.text
    changed = FullSchedule.model_validate_json(replaced.content)
    assert (changed.name, changed.queue, changed.payload, changed.priority) == ("yearly", "default", None, 7)
    assert (changed.id, changed.created_at, changed.timeout) == (schedule.id, schedule.created_at, "1m")

    deleted = await office.http.delete(f"{URL}/{schedule.id}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(await office.http.get(f"{URL}/{schedule.id}"), 404)


async def test_every_field_comes_back(office: Door) -> None:
    fields: dict[str, Any] = {
        "name": "Nächtlich, jede Nacht",
        "queue": "q",
        "cron_expr": "0 30 2 * * mon-fri",
        "timezone": "Europe/Berlin",
        "payload": [1, None],
        "missed": "all",
        "overlap": "skip",
        "starts_at": "2030-01-01T00:00:00Z",
        "ends_at": "2031-01-01T00:00:00+01:00",
        "jitter": "5m",
        "ttl": "1h",
        "priority": 9,
        "max_retries": 5,
        "retry_strategy": "linear",
        "retry_delay": "10s",
        "max_retry_delay": "1m",
        "retry_jitter": 0.25,
        "timeout": "2m",
        "unique_key": "one",
        "tags": ["a"],
        "metadata": {"k": "v"},
    }
    schedule = await create(office, **fields)
    told = schedule.model_dump()
    times = {"starts_at": datetime(2030, 1, 1, tzinfo=UTC), "ends_at": datetime(2030, 12, 31, 23, tzinfo=UTC)}
    assert {field: told[field] for field in fields} == fields | times
    first = datetime(2030, 1, 1, 1, 30, tzinfo=UTC)
    assert first <= schedule.next_fires[0] <= first + timedelta(minutes=5)


async def test_expressions_of_every_kind_are_taken(office: Door) -> None:
    for expression in ("@hourly", "@daily", "*/15 * * * *", "0 9 * * 1", "*/5 * * * * *", "@every 90s", "@every 1h30m"):
        schedule = await create(office, name=expression, cron_expr=expression)
        assert schedule.cron_expr == expression
        assert len(schedule.next_fires) == 5


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"cron_expr": "61 * * * *"}, "cron_expr", "minute '61'"),
    ({"cron_expr": "* * *"}, "cron_expr", "five fields"),
    ({"cron_expr": "0 0 31 2 *"}, "cron_expr", "never comes"),
    ({"cron_expr": None}, "cron_expr", "string"),
    ({"timezone": "Europe/Berln"}, "timezone", "did you mean 'Europe/Berlin'"),
    ({"name": ""}, "name", "pattern"),
    ({"job_type": "?"}, "job_type", "pattern"),
    ({"missed": "some"}, "missed", "'skip', 'one' or 'all'"),
    ({"overlap": "some"}, "overlap", "'allow' or 'skip'"),
    ({"jitter": "25h"}, "jitter", "less than or equal"),
    ({"jitter": "soon"}, "jitter", "not a duration"),
    ({"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "ends_at", "before starts_at"),
    ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at", "never fire"),
    ({"payload": "x" * 300_000}, "payload", "the limit is"),
    ({"idempotency_key": "k"}, "idempotency_key", "no such field"),
    ({"max_retries": -1}, "max_retries", "greater than"),
]


async def test_a_wrong_field_is_named(office: Door) -> None:
    schedule = await create(office)
    for method, url in (("POST", URL), ("PUT", f"{URL}/{schedule.id}")):
        for fields, field, reason in WRONG:
            response = await office.http.request(method, url, json=YEARLY | {"name": "other"} | fields)
            found = problem(response, 422)
            assert [one.field for one in found.errors] == [field]
            assert reason in found.errors[0].reason
    assert await get(office, schedule.id) == schedule


async def test_a_name_is_given_once(office: Door) -> None:
    await create(office)
    assert "'yearly'" in problem(await office.http.post(URL, json=YEARLY), 409).detail
    other = await create(office, name="other")
    assert "'yearly'" in problem(await office.http.put(f"{URL}/{other.id}", json=YEARLY), 409).detail


async def test_schedules_are_listed_page_by_page(office: Door) -> None:
    names = [f"ä{number}" for number in range(5)]
    for name in reversed(names):
        await create(office, name=name)
    listed: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        response = await office.http.get(URL, params=query)
        page = ScheduleList.model_validate_json(response.content)
        listed += [one.name for one in page.items]
        assert all(len(one.next_fires) == 5 for one in page.items)
        if page.next_cursor is None:
            break
        query["cursor"] = page.next_cursor
    assert listed == names
    assert problem(await office.http.get(URL, params={"cursor": "?"}), 422).errors[0].field == "cursor"


async def test_an_unknown_schedule_is_named(office: Door) -> None:
    calls = [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run")]
    for method, rest in calls:
        for unknown in ("nonsense", "01900000-0000-7000-8000-000000000000"):
            body = YEARLY if method == "PUT" else None
            response = await office.http.request(method, f"{URL}/{unknown}{rest}", json=body)
            assert problem(response, 404).detail == f"there is no schedule {unknown}"


async def test_a_paused_schedule_shows_no_next_fire(office: Door) -> None:
    schedule = await create(office)
    for _ in range(2):
        paused = await office.http.post(f"{URL}/{schedule.id}/pause")
        assert paused.status_code == 200
        told = paused.json()
        assert (told["paused"], told["next_fire_at"], told["next_fires"]) == (True, None, [])
    for _ in range(2):
        resumed = await office.http.post(f"{URL}/{schedule.id}/resume")
        assert resumed.status_code == 200
        assert FullSchedule.model_validate_json(resumed.content).next_fires == schedule.next_fires


async def test_a_schedule_runs_when_told_to_and_shows_how_its_job_stands(office: Door) -> None:
    schedule = await create(office, payload={"n": 1}, tags=["t"])
    response = await office.http.post(f"{URL}/{schedule.id}/run")
    assert response.status_code == 202, response.text
    (fire,) = FullSchedule.model_validate_json(response.content).fires
    assert (fire.kind, response.headers["location"]) == ("manual", f"{API}/jobs/{fire.job_id}")

    async def stored() -> bool:
        return (await office.http.get(f"{API}/jobs/{fire.job_id}")).status_code == 200

    await wait_until(stored, "the job is stored")
    job = await office.job(fire.job_id or "")
    assert (job["type"], job["payload"], job["tags"]) == ("echo", {"n": 1}, ["t"])
    assert (await get(office, schedule.id)).fires[0].status == "pending"
    (claimed,) = await office.start_jobs()
    await office.end_job(claimed)

    async def succeeded() -> bool:
        return (await get(office, schedule.id)).fires[0].status == "success"

    await wait_until(succeeded, "the fire shows the success")


async def test_a_schedule_fires_by_itself(office: Door) -> None:
    schedule = await create(office, cron_expr="* * * * * *")

    async def fired() -> bool:
        fires = (await get(office, schedule.id)).fires
        return len(fires) >= 2 and all(fire.status == "pending" for fire in fires)

    await wait_until(fired, "two jobs are stored")
    fires = (await get(office, schedule.id)).fires
    assert {fire.kind for fire in fires} == {"tick"}
    assert all(fire.at and fire.at.microsecond == 0 and fire.since is None for fire in fires)
    await office.http.delete(f"{URL}/{schedule.id}")


async def test_a_command_without_a_scheduler_is_answered_503(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage, command_timeout=0.2) as door:
        assert "create_schedule" in problem(await door.http.post(URL, json=YEARLY), 503).detail
