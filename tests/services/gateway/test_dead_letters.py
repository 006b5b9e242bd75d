"""Dead letters: looked at, retried, purged; one, some, or a great many."""

import pytest

from gotask import v1
from gotask.bus import dead_letters as bus_module
from gotask.gateway.rest.schemas import DeadPurged, DeadRetried, JobList
from gotask.jobs.ids import new_id
from gotask.jobs.states import DEAD, PENDING
from gotask.queue_manager import dead_letters as manager_module
from gotask.service.clock import SystemClock
from gotask.storage.contract import Finish, Share, Slot
from tests.services.gateway.support import API, Door, problem

pytestmark = pytest.mark.parametrize("storage", ["memory", "redis"], indirect=True)

DEAD_PATH = f"{API}/queues/mail/dead"


async def bury(door: Door, count: int = 1, job_type: str = "send", error: str = "ValueError") -> list[str]:
    """The ids of jobs that died in the queue ``mail``, oldest first."""
    now_us = SystemClock().now_us()
    await door.http.post(f"{API}/queues", json={"name": "mail"})
    specs = [
        v1.JobSpec(id=new_id(), type=job_type, queue="mail", priority=1, created_at_us=now_us) for _ in range(count)
    ]
    await door.storage.insert_jobs(specs, now_us)
    claims = await door.storage.claim([Slot("w", count, [Share("mail", count)])], now_us, now_us + 1_000_000)
    attempt = v1.Attempt(attempt=1, worker="w", outcome=v1.OUTCOME_FAILURE, error=v1.JobError(type=error))
    history = v1.History(attempts=[attempt]).SerializeToString()
    await door.storage.finish([Finish(job.job_id, "mail", 1, DEAD, history) for job in claims.jobs[0]], now_us)
    return [spec.id for spec in specs]


async def dead_ids(door: Door, **params: str | int) -> list[str]:
    """All pages of the listing."""
    ids: list[str] = []
    cursor = ""
    while True:
        response = await door.http.get(DEAD_PATH, params={**params, **({"cursor": cursor} if cursor else {})})
        page = JobList.model_validate_json(response.content)
        ids += [job.id for job in page.items]
        if not page.next_cursor:
            return ids
        cursor = page.next_cursor


async def retry(door: Door, body: object = None) -> DeadRetried:
    response = (
        await door.http.post(f"{DEAD_PATH}/retry", json=body) if body else await door.http.post(f"{DEAD_PATH}/retry")
    )
    assert response.status_code == 200, response.text
    return DeadRetried.model_validate_json(response.content)


async def purge(door: Door, **params: str) -> DeadPurged:
    response = await door.http.delete(DEAD_PATH, params=params)
    assert response.status_code == 200, response.text
    return DeadPurged.model_validate_json(response.content)


async def test_dead_letters_are_listed_newest_first_with_their_error(door: Door) -> None:
    ids = await bury(door, 5)
    await door.submit(queue="mail")
    assert await dead_ids(door, limit=2) == ids[::-1]
    first = (await door.http.get(DEAD_PATH)).json()["items"][0]
    assert (first["status"], first["error"]["type"], first["attempts"]) == ("dead", "ValueError", 1)


async def test_they_are_found_by_type_and_by_error_type(door: Door) -> None:
    plain = await bury(door, 3)
    other_error = await bury(door, 3, error="Timeout")
    other_type = await bury(door, 3, job_type="fetch")
    assert await dead_ids(door, type="fetch") == other_type[::-1]
    assert await dead_ids(door, error_type="Timeout", limit=2) == other_error[::-1]
    assert await dead_ids(door, error_type="ValueError", type="send", limit=2) == plain[::-1]
    assert await dead_ids(door, error_type="None") == []


async def test_all_are_retried_with_all_attempts_before_them(door: Door) -> None:
    ids = await bury(door, 7)
    assert await retry(door) == DeadRetried(retried=7, complete=True)
    assert await dead_ids(door) == []
    job = await door.job(ids[0])
    assert (job["status"], job["attempts"], len(job["history"])) == ("pending", 0, 1)
    assert [claimed.job_id for claimed in await door.start_jobs("mail", 7)] == ids


async def test_some_are_retried_by_what_they_are(door: Door) -> None:
    plain, timeouts = await bury(door, 3), await bury(door, 2, error="Timeout")
    fetches = await bury(door, 2, job_type="fetch")
    assert (await retry(door, {"error_type": "Timeout"})).retried == 2
    assert (await retry(door, {"type": "fetch", "error_type": "Timeout"})).retried == 0
    assert (await retry(door, {"type": "fetch"})).retried == 2
    assert await dead_ids(door) == plain[::-1]
    assert {(await door.job(job_id))["status"] for job_id in timeouts + fetches} == {"pending"}


async def test_named_ones_are_retried_and_no_others(door: Door) -> None:
    ids = await bury(door, 3)
    waiting = await door.submit(queue="mail")
    elsewhere = await door.submit()
    asked = [ids[1], ids[1], waiting["id"], elsewhere["id"], new_id(), "17"]
    assert (await retry(door, {"ids": asked})).retried == 1
    assert await dead_ids(door) == [ids[2], ids[0]]


async def test_they_are_purged_by_what_they_are_or_all(door: Door) -> None:
    plain, fetches = await bury(door, 3), await bury(door, 2, job_type="fetch")
    assert await purge(door, type="fetch") == DeadPurged(purged=2, complete=True)
    problem(await door.http.get(f"{API}/jobs/{fetches[0]}"), 404)
    assert await purge(door, error_type="Timeout") == DeadPurged(purged=0, complete=True)
    assert await purge(door) == DeadPurged(purged=3, complete=True)
    problem(await door.http.get(f"{API}/jobs/{plain[0]}"), 404)


async def test_a_great_many_are_retried_in_pieces_each_of_them_once(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager_module, "_PIECE", 10)
    monkeypatch.setattr(manager_module, "_WORK_S", 0.0)
    await bury(door, 95)
    assert await retry(door) == DeadRetried(retried=95, complete=True)
    (stats,) = await door.storage.queue_stats(["mail"], 0)
    assert (stats.pending, stats.dead) == (95, 0)


async def test_who_asks_for_too_many_is_told_to_go_on(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_module, "_PIECE", 10)
    monkeypatch.setattr(manager_module, "_WORK_S", 0.0)
    monkeypatch.setattr(bus_module, "PATIENCE_S", 0.0)
    await bury(door, 25)
    answers = [await purge(door) for _ in range(3)]
    assert [(answer.purged, answer.complete) for answer in answers] == [(10, False), (10, False), (5, True)]


async def test_a_dead_letter_whose_unique_key_is_taken_stays(door: Door) -> None:
    (job_id,) = await bury(door)
    unique = await door.submit(queue="mail", unique_key="once", max_retries=0)
    (claimed,) = await door.start_jobs("mail")
    now_us = SystemClock().now_us()
    await door.storage.finish([Finish(unique["id"], "mail", claimed.attempt, DEAD, b"")], now_us)
    await door.submit(queue="mail", unique_key="once")
    assert (await retry(door)).retried == 1
    assert await dead_ids(door) == [unique["id"]]
    refused = problem(await door.http.post(f"{API}/jobs/{unique['id']}/retry"), 409)
    assert "another job that is not finished holds its unique key" in refused.detail
    (retried,) = await door.storage.get_jobs([job_id])
    assert retried is not None
    assert retried.state == PENDING


async def test_wrong_input_is_named(door: Door) -> None:
    await bury(door)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/retry")):
        found = problem(await door.http.request(method, f"{API}/queues/nowhere/dead{path}"), 404)
        assert found.detail == "there is no queue 'nowhere'"
    for body, field in (
        ({"ids": []}, "ids"),
        ({"ids": [1]}, "ids.0"),
        ({"kind": "a"}, "kind"),
        ({"ids": ["a"] * 1_001}, "ids"),
    ):
        found = problem(await door.http.post(f"{DEAD_PATH}/retry", json=body), 422)
        assert found.errors[0].field == field
    for params, field in (({"cursor": "x"}, "cursor"), ({"limit": "0"}, "limit"), ({"kind": "a"}, "kind")):
        assert problem(await door.http.get(DEAD_PATH, params=params), 422).errors[0].field == field
    assert problem(await door.http.delete(DEAD_PATH, params={"id": "1"}), 422).errors[0].field == "id"
