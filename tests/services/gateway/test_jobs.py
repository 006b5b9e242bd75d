"""Looking at jobs, waiting for them, and telling them what to do."""

import asyncio
import itertools

import pytest

from gotask import v1
from gotask.gateway.rest.schemas import FullJob, JobList
from gotask.jobs.ids import new_id
from tests.services.gateway.support import API, Door, problem
from tests.support.waiting import wait_until

pytestmark = pytest.mark.parametrize("storage", ["memory", "redis"], indirect=True)


async def ids(door: Door, query: str) -> list[str]:
    response = await door.http.get(f"{API}/jobs?{query}")
    assert response.status_code == 200, response.text
    return [job.id for job in JobList.model_validate_json(response.content).items]


async def ended(door: Door, job_id: str) -> FullJob:
    response = await door.http.get(f"{API}/jobs/{job_id}", params={"wait": "20s"})
    assert response.status_code == 200, response.text
    return FullJob.model_validate_json(response.content)


async def test_a_job_shows_its_result_and_history(door: Door) -> None:
    job = await door.submit(payload={"n": 1})
    (claimed,) = await door.start_jobs()
    running = FullJob.model_validate(await door.job(job["id"]))
    assert (running.status, running.worker, running.attempts) == ("running", "hand", 1)
    await door.end_job(claimed, result=b'{"sum": 3.50}')
    done = await ended(door, job["id"])
    assert (done.status, done.result, done.error) == ("success", {"sum": 3.5}, None)
    assert [(attempt.attempt, attempt.worker, attempt.outcome) for attempt in done.history] == [(1, "hand", "success")]
    assert done.finished_at
    (listed,) = (await door.http.get(f"{API}/jobs")).json()["items"]
    assert "history" not in listed
    assert listed["result"] == {"sum": 3.5}


async def test_a_failed_job_shows_its_error_and_can_be_retried(door: Door) -> None:
    job = await door.submit(max_retries=0)
    (claimed,) = await door.start_jobs()
    error = v1.JobError(type="ValueError", message="no", traceback="at line 1")
    await door.end_job(claimed, outcome=v1.OUTCOME_FAILURE, error=error)
    dead = await ended(door, job["id"])
    assert dead.status == "dead"
    assert dead.error
    assert dead.error.model_dump() == {"type": "ValueError", "message": "no", "traceback": "at line 1"}
    assert dead.history[0].error == dead.error

    retried = await door.http.post(f"{API}/jobs/{job['id']}/retry")
    assert (retried.status_code, retried.json()["status"], retried.json()["attempts"]) == (200, "pending", 0)
    assert "is pending" in problem(await door.http.post(f"{API}/jobs/{job['id']}/retry"), 409).detail


async def test_progress_is_shown(door: Door) -> None:
    job = await door.submit()
    (claimed,) = await door.start_jobs()
    progress = v1.Progress(percent=12.3, message="resizing", at_us=1_000_001)
    data = v1.JobResults(
        worker="hand",
        progress=[v1.JobProgress(job_id=job["id"], queue="default", attempt=claimed.attempt, progress=progress)],
    )
    await door.bus.js.publish(door.bus.subjects.result, data.SerializeToString())

    async def reported() -> object:
        return (await door.job(job["id"]))["progress"]

    assert await wait_until(reported, "progress is stored") == {
        "percent": 12.3,
        "message": "resizing",
        "updated_at": "1970-01-01T00:00:01.000001Z",
    }


async def test_waiting_ends_with_the_job(door: Door) -> None:
    jobs = [await door.submit() for _ in range(2)]
    waits = [asyncio.create_task(ended(door, job["id"])) for job in jobs]
    claimed = await door.start_jobs(count=2)
    for each in claimed:
        await door.end_job(each)
    assert [(await wait).status for wait in waits] == ["success", "success"]


async def test_waiting_ends_with_the_time(door: Door) -> None:
    job = await door.submit()
    response = await door.http.get(f"{API}/jobs/{job['id']}?wait=0.05")
    assert (response.status_code, response.json()["status"]) == (200, "pending")


async def test_a_waiting_job_is_cancelled_once(door: Door) -> None:
    job = await door.submit()
    cancelled = await door.http.post(f"{API}/jobs/{job['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    found = problem(await door.http.post(f"{API}/jobs/{job['id']}/cancel"), 409)
    assert found.detail == f"job {job['id']} is cancelled already"


async def test_a_running_job_is_told_to_end(door: Door) -> None:
    job = await door.submit()
    await door.start_jobs()
    told = await door.http.post(f"{API}/jobs/{job['id']}/cancel")
    assert (told.status_code, told.json()["status"], told.json()["cancel_requested"]) == (200, "running", True)
    assert "its worker has been told" in problem(await door.http.post(f"{API}/jobs/{job['id']}/cancel"), 409).detail


async def test_only_a_job_that_has_ended_is_deleted(door: Door) -> None:
    job = await door.submit()
    assert "is pending" in problem(await door.http.delete(f"{API}/jobs/{job['id']}"), 409).detail
    await door.http.post(f"{API}/jobs/{job['id']}/cancel")
    deleted = await door.http.delete(f"{API}/jobs/{job['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(await door.http.get(f"{API}/jobs/{job['id']}"), 404)


async def test_an_unknown_job_is_named(door: Door) -> None:
    calls = [("GET", ""), ("GET", "?wait=1s"), ("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")]
    for job_id, (method, rest) in itertools.product([new_id(), "17", "a b", "x" * 2_000], calls):
        found = problem(await door.http.request(method, f"{API}/jobs/{job_id}{rest}"), 404)
        assert found.detail.startswith(f"there is no job {job_id[:400]}")


async def test_jobs_are_found_by_what_they_are(door: Door) -> None:
    plain = await door.submit()
    mail = await door.submit(type="mail", queue="letters", tags=["a", "b"])
    later = await door.submit(delay="1h", tags=["b"])
    every = [later["id"], mail["id"], plain["id"]]
    assert await ids(door, "") == every
    assert await ids(door, "status=scheduled") == [later["id"]]
    assert await ids(door, "status=scheduled&status=pending") == every
    assert await ids(door, "status=scheduled,pending") == every
    assert await ids(door, "queue=letters") == [mail["id"]]
    assert await ids(door, "type=mail") == [mail["id"]]
    assert await ids(door, "tag=b") == [later["id"], mail["id"]]
    assert await ids(door, "tag=b&queue=default") == [later["id"]]
    assert await ids(door, f"created_before={mail['created_at']}") == [plain["id"]]
    assert await ids(door, f"created_from={mail['created_at']}") == every[:2]
    assert await ids(door, "queue=nowhere") == []


async def test_pages_follow_each_other(door: Door) -> None:
    submitted = [(await door.submit())["id"] for _ in range(7)]
    seen: list[str] = []
    sizes: list[int] = []
    cursor = ""
    while True:
        page = (await door.http.get(f"{API}/jobs", params={"limit": 3, "cursor": cursor})).json()
        seen += [job["id"] for job in page["items"]]
        sizes.append(len(page["items"]))
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
        await door.submit()
    assert sizes == [3, 3, 1]
    assert seen == submitted[::-1]
