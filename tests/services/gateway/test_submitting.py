"""POST /jobs: what is stored, and what is answered."""

import asyncio

import httpx
import pytest

from gotask import v1
from gotask.bus.subjects import Stream
from gotask.gateway.rest.schemas import Job
from gotask.jobs.request import QueueRequest
from gotask.storage.contract import Storage
from tests.services.gateway.support import API, Door, gateway, problem, queue_manager
from tests.support.servers import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.parametrize("storage", ["memory", "redis"], indirect=True)


async def test_a_job_is_stored_with_the_defaults_of_its_queue(door: Door) -> None:
    response = await door.http.post(
        f"{API}/jobs",
        json={
            "type": "email",
            "queue": "notifications",
            "payload": {"to": "user@example.com", "half": 0.5, "deep": [[None, True]]},
            "max_retries": 5,
            "retry_strategy": "linear",
            "timeout": "90s",
            "tags": ["welcome"],
            "metadata": {"tenant": "a"},
        },
    )
    assert response.status_code == 201
    job = Job.model_validate_json(response.content)
    assert response.headers["location"] == f"{API}/jobs/{job.id}"
    assert (job.type, job.queue, job.status, job.priority) == ("email", "notifications", "pending", 1)
    assert job.payload == {"to": "user@example.com", "half": 0.5, "deep": [[None, True]]}
    assert (job.max_retries, job.retry_strategy, job.retry_delay) == (5, "linear", "1m")
    assert (job.timeout, job.tags, job.metadata) == ("1m30s", ["welcome"], {"tenant": "a"})
    assert (job.attempts, job.result, job.error, job.progress, job.worker) == (0, None, None, None, None)

    read = await door.job(job.id)
    assert read.pop("history") == []
    assert Job.model_validate(read) == job
    assert job.ready_at is not None


async def test_a_job_for_later_is_scheduled(door: Door) -> None:
    job = await door.submit(scheduled_at="2999-01-01T00:00:00+01:00", ttl="30d")
    assert job["status"] == "scheduled"
    assert job["scheduled_at"] == job["due_at"] == "2998-12-31T23:00:00.000000Z"
    assert job["ready_at"] is None
    assert (await door.submit(delay=60))["status"] == "scheduled"
    assert (await door.submit(scheduled_at="2024-12-31T23:59:59Z"))["status"] == "pending"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_the_ends_of_time_can_be_written(door: Door, moment: str) -> None:
    job = await door.submit(scheduled_at=moment)
    assert (await door.job(job["id"]))["scheduled_at"] == job["scheduled_at"]


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/x-www-form-urlencoded"}])
async def test_the_content_type_does_not_matter(door: Door, headers: dict[str, str]) -> None:
    response = await door.http.post(f"{API}/jobs", content=b'{"type": "echo"}', headers=headers)
    assert response.status_code == 201


async def test_an_idempotency_key_answers_with_the_first_job(door: Door) -> None:
    first = await door.submit(idempotency_key="order-1", payload=1)
    for send in ({"headers": {"Idempotency-Key": "order-1"}}, {}):
        body = {"type": "echo", "payload": 2} | ({} if send else {"idempotency_key": "order-1"})
        again = await door.http.post(f"{API}/jobs", json=body, **send)  # type: ignore[arg-type]
        assert (again.status_code, again.json()["id"], again.json()["payload"]) == (200, first["id"], 1)
        assert again.headers["location"] == f"{API}/jobs/{first['id']}"


async def test_a_unique_key_answers_with_the_unfinished_job(door: Door) -> None:
    first = await door.submit(unique_key="report")
    again = await door.http.post(f"{API}/jobs", json={"type": "echo", "unique_key": "report"})
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    await door.http.post(f"{API}/jobs/{first['id']}/cancel")
    await door.submit(unique_key="report")


async def test_the_idempotency_key_of_body_and_header_must_agree(door: Door) -> None:
    send = {"json": {"type": "echo", "idempotency_key": "a"}}
    agreed = await door.http.post(f"{API}/jobs", headers={"Idempotency-Key": "a"}, **send)  # type: ignore[arg-type]
    assert agreed.status_code == 201
    for key in ("b", "", "k" * 257):
        refused = await door.http.post(f"{API}/jobs", headers={"Idempotency-Key": key}, **send)  # type: ignore[arg-type]
        assert "Idempotency-Key" in problem(refused, 422).detail


async def test_a_full_queue_refuses_and_says_when_to_come_back(door: Door) -> None:
    await door.http.post(f"{API}/queues", json={"name": "small", "max_length": 1})
    await door.submit(queue="small")
    refused = await door.http.post(f"{API}/jobs", json={"type": "echo", "queue": "small"})
    found = problem(refused, 429)
    assert found.detail == "queue 'small' is full"
    assert int(refused.headers["retry-after"]) == found.retry_after
    assert len((await door.http.get(f"{API}/jobs")).json()["items"]) == 1


async def test_many_at_once_share_messages(door: Door) -> None:
    before = await door.messages_submitted()
    responses = await asyncio.gather(
        *(door.http.post(f"{API}/jobs", json={"type": "echo", "payload": number}) for number in range(300))
    )
    assert {response.status_code for response in responses} == {201}
    assert [response.json()["payload"] for response in responses] == list(range(300))
    assert len({response.json()["id"] for response in responses}) == 300
    assert await door.messages_submitted() - before < 150


async def test_a_body_may_be_as_long_as_the_setting_says(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage, max_body_bytes=2048, submit_reply_timeout=0.05) as door:

        async def in_pieces(length: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            yield b'{"type": "echo"'
            for _ in range(length // 64):
                yield b" " * 64
            yield b"}"

        assert (await door.http.post(f"{API}/jobs", content=in_pieces(1024))).status_code == 202
        for body in (in_pieces(4096), b'{"type": "echo"' + b" " * 2048 + b"}"):
            assert "2048 bytes" in problem(await door.http.post(f"{API}/jobs", content=body), 413).detail
        assert "2048 bytes" in problem(await door.http.post(f"{API}/queues", content=in_pieces(4096)), 413).detail


async def test_the_limit_of_the_payload_is_a_setting(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage, max_payload_bytes=10, submit_reply_timeout=0.05) as door:
        assert (await door.http.post(f"{API}/jobs", json={"type": "a", "payload": "x" * 8})).status_code == 202
        found = problem(await door.http.post(f"{API}/jobs", json={"type": "a", "payload": "x" * 9}), 422)
        assert (found.errors[0].field, found.errors[0].reason) == ("payload", "11 bytes of JSON; the limit is 10")


async def test_without_a_queue_manager_a_job_is_accepted_and_applied_later(
    nats: Server, namespace: str, storage: Storage
) -> None:
    async with gateway(nats.address, namespace, storage, submit_reply_timeout=0.1) as door:
        accepted = await door.http.post(f"{API}/jobs", json={"type": "echo", "delay": "1h"})
        assert accepted.status_code == 202
        job = Job.model_validate_json(accepted.content)
        assert (job.status, job.max_retries, job.timeout) == ("scheduled", None, None)
        assert accepted.headers["location"] == f"{API}/jobs/{job.id}"
        problem(await door.http.get(f"{API}/jobs/{job.id}"), 404)

        async def stored() -> httpx.Response | None:
            response = await door.http.get(f"{API}/jobs/{job.id}")
            return response if response.status_code == 200 else None

        async with queue_manager(nats.address, namespace, storage):
            found = await wait_until(stored, "the job is applied")
            assert found.json()["status"] == "scheduled"


async def test_a_job_that_is_refused_after_it_was_accepted_is_kept_with_the_reason(
    nats: Server, namespace: str, storage: Storage
) -> None:
    await storage.create_queue(QueueRequest(name="small", max_length=1).to_queue("small", 1))
    async with gateway(nats.address, namespace, storage, submit_reply_timeout=0.05) as door:
        answers = [await door.http.post(f"{API}/jobs", json={"type": "echo", "queue": "small"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        rejected = door.bus.subjects.stream(Stream.REJECTED)

        async def kept() -> bool:
            return (await door.bus.js.stream_info(rejected)).state.messages > 0

        async with queue_manager(nats.address, namespace, storage):
            await wait_until(kept, "the second job is kept as rejected")
            message = await door.bus.js.get_msg(rejected, seq=1)
            record = v1.Rejected.FromString(message.data or b"")
            (spec,) = v1.SubmitJobs.FromString(record.data).jobs
            assert message.subject == door.bus.subjects.rejected("queue_full")
            assert (spec.id, record.reason) == (answers[1].json()["id"], "queue: queue 'small' is full")


async def test_a_queue_that_may_not_be_created_refuses(nats: Server, namespace: str, storage: Storage) -> None:
    async with (
        queue_manager(nats.address, namespace, storage, create_queues=False),
        gateway(nats.address, namespace, storage) as door,
    ):
        found = problem(await door.http.post(f"{API}/jobs", json={"type": "echo", "queue": "nowhere"}), 409)
        assert "'nowhere' does not exist" in found.detail
        assert found.errors[0].field == "queue"
