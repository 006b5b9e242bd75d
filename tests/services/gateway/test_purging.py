"""A queue is purged: what waits in it is cancelled, in pieces."""

import pytest

from gotask.bus import purging as bus_module
from gotask.gateway.rest.schemas import QueuePurged
from gotask.queue_manager import purging as manager_module
from tests.services.gateway.support import API, Door, problem

pytestmark = pytest.mark.parametrize("storage", ["memory", "redis"], indirect=True)


async def purge(door: Door, queue: str = "mail") -> QueuePurged:
    response = await door.http.post(f"{API}/queues/{queue}/purge")
    assert response.status_code == 200, response.text
    return QueuePurged.model_validate_json(response.content)


async def status(door: Door, job_id: str) -> str:
    found: str = (await door.http.get(f"{API}/jobs/{job_id}")).json()["status"]
    return found


async def test_what_waits_is_cancelled_and_what_runs_goes_on(door: Door) -> None:
    running = await door.submit(queue="mail")
    await door.start_jobs("mail")
    pending, later = await door.submit(queue="mail"), await door.submit(queue="mail", delay="1h")
    elsewhere = await door.submit(queue="post")
    assert await purge(door) == QueuePurged(cancelled=2, complete=True)
    assert [await status(door, each["id"]) for each in (running, pending, later, elsewhere)] == [
        "running",
        "cancelled",
        "cancelled",
        "pending",
    ]
    assert await purge(door) == QueuePurged(cancelled=0, complete=True)


async def test_whoever_waits_for_a_job_is_told(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await door.submit(queue="mail")
    purged = await purge(door)
    ended = await door.http.get(f"{API}/jobs/{job['id']}", params={"wait": "20s"})
    assert (purged.cancelled, ended.json()["status"]) == (1, "cancelled")


async def test_a_great_many_are_cancelled_in_pieces(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_module, "_PIECE", 10)
    monkeypatch.setattr(manager_module, "_WORK_S", 0.0)
    await submit_many(door, 95)
    assert await purge(door) == QueuePurged(cancelled=95, complete=True)


async def test_who_asks_for_too_many_is_told_to_go_on(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_module, "_PIECE", 10)
    monkeypatch.setattr(manager_module, "_WORK_S", 0.0)
    monkeypatch.setattr(bus_module, "PATIENCE_S", 0.0)
    await submit_many(door, 25)
    answers = [await purge(door) for _ in range(3)]
    assert [(answer.cancelled, answer.complete) for answer in answers] == [(10, False), (10, False), (5, True)]


async def submit_many(door: Door, count: int) -> None:
    body = {"jobs": [{"type": "send", "queue": "mail"}] * count}
    assert (await door.http.post(f"{API}/jobs/batch", json=body)).is_success


@pytest.mark.parametrize("name", ["nowhere", "no.name"])
async def test_a_queue_that_is_not_there(door: Door, name: str) -> None:
    assert f"there is no queue '{name}'" in problem(await door.http.post(f"{API}/queues/{name}/purge"), 404).detail
