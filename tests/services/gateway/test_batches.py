"""POST /jobs/batch: each job gets the answer that it would have got alone."""

from typing import Any

from gotask.gateway.rest.schemas import BatchAnswer, BatchItem, Job
from gotask.storage.contract import Storage
from tests.services.gateway.support import API, Door, gateway, problem
from tests.support.servers import Server

JOB = {"type": "echo"}


async def send(door: Door, jobs: list[Any]) -> list[BatchItem]:
    response = await door.http.post(f"{API}/jobs/batch", json={"jobs": jobs})
    assert response.status_code == 200, response.text
    return BatchAnswer.model_validate_json(response.content).items


async def test_wrong_jobs_do_not_stop_right_ones(door: Door) -> None:
    await door.http.post(f"{API}/queues", json={"name": "full", "max_length": 1})
    await door.submit(queue="full")
    first = await door.submit(idempotency_key="once")
    items = await send(
        door,
        [
            JOB,
            {"type": "echo", "priority": 256},
            {"type": "echo", "queue": "other", "payload": [1, None]},
            7,
            {"type": "echo", "idempotency_key": "once"},
            {"type": "echo", "queue": "full"},
            {"type": "echo", "delay": 1, "scheduled_at": "2999-01-01T00:00:00Z"},
        ],
    )
    assert [item.status for item in items] == [201, 422, 201, 422, 200, 429, 422]
    for item in items:
        assert (item.job is None) == (item.status >= 400)
        assert (item.error is None) == (item.status < 400)
    assert items[2].job
    assert items[2].job.payload == [1, None]
    assert items[4].job
    assert items[4].job.id == first["id"]
    fields = [item.error.errors[0].field for item in items if item.error]
    assert fields == ["jobs.1.priority", "jobs.3", "jobs.5.queue", "jobs.6"]
    assert items[5].error
    assert items[5].error.retry_after


async def test_a_job_in_a_batch_is_read_as_one_alone(door: Door) -> None:
    job = {
        "type": "echo",
        "scheduled_at": "2999-01-01T00:00:00Z",
        "timeout": 1.5,
        "retry_jitter": 1,
        "retry_strategy": "fixed",
        "tags": ["a"],
        "metadata": {"k": "v"},
    }
    alone = await door.submit(**job)
    (item,) = await send(door, [job])
    assert item.job
    own = {"id", "created_at"}
    assert item.job.model_dump(exclude=own) == Job.model_validate(alone).model_dump(exclude=own)


async def test_a_thousand_jobs_go_in_few_messages_and_keep_their_order(door: Door) -> None:
    before = await door.messages_submitted()
    items = await send(door, [{"type": "echo", "payload": number} for number in range(1_000)])
    assert {item.status for item in items} == {201}
    assert await door.messages_submitted() - before <= 3
    claimed = await door.start_jobs(count=1_000)
    assert [job.job_id for job in claimed] == [item.job.id for item in items if item.job]


async def test_large_jobs_are_cut_to_what_the_broker_takes(door: Door) -> None:
    items = await send(door, [{"type": "echo", "payload": "x" * 200_000} for _ in range(20)])
    assert {item.status for item in items} == {201}


async def test_the_batch_itself_may_be_wrong(door: Door) -> None:
    for body, field in (
        ({"jobs": []}, "jobs"),
        ({"jobs": [JOB] * 1_001}, "jobs"),
        ({"jobs": {}}, "jobs"),
        ({}, "jobs"),
        ({"jobs": [JOB], "job": JOB}, "job"),
        ([], "body"),
    ):
        found = problem(await door.http.post(f"{API}/jobs/batch", json=body), 422)
        assert found.errors[0].field == field
    problem(await door.http.post(f"{API}/jobs/batch", content=b'{"jobs": [{]}'), 400)
    keyed = await door.http.post(f"{API}/jobs/batch", json={"jobs": [JOB]}, headers={"Idempotency-Key": "a"})
    assert problem(keyed, 422).errors[0].field == "Idempotency-Key"


async def test_a_batch_has_a_limit_of_its_own(nats: Server, namespace: str, storage: Storage) -> None:
    limits = {"max_body_bytes": 1024, "max_batch_body_bytes": 4096, "submit_reply_timeout": 0.05}
    async with gateway(nats.address, namespace, storage, **limits) as door:
        assert [item.status for item in await send(door, [{"type": "echo", "payload": "x" * 2048}])] == [202]
        too_long = {"jobs": [{"type": "echo", "payload": "x" * 4096}]}
        assert "4096 bytes" in problem(await door.http.post(f"{API}/jobs/batch", json=too_long), 413).detail
