"""What callers are told while the broker, the storage or the queue-manager is away."""

import asyncio

import httpx
import pytest
from nats.aio.msg import Msg

from gotask import v1
from gotask.gateway.rest.schemas import Readiness
from gotask.storage.contract import Storage
from gotask.storage.redis.backend import RedisStorage
from tests.services.gateway.support import API, Door, gateway, problem, queue_manager
from tests.support.servers import Server, ServerProcess
from tests.support.waiting import wait_until

JOB = {"type": "echo"}


async def test_without_a_broker_nothing_is_accepted(own_nats: ServerProcess, namespace: str, storage: Storage) -> None:
    short = {"publish_timeout": 0.5, "command_timeout": 0.5, "submit_reply_timeout": 0.1}
    async with gateway(own_nats.address, namespace, storage, **short) as door:
        own_nats.kill()
        refused = await door.http.post(f"{API}/jobs", json=JOB)
        assert "repeat it with an idempotency key" in problem(refused, 503).detail
        assert refused.headers["retry-after"]
        batch = await door.http.post(f"{API}/jobs/batch", json={"jobs": [JOB, JOB]})
        assert [item["status"] for item in batch.json()["items"]] == [503, 503]
        problem(await door.http.post(f"{API}/queues", json={"name": "a"}), 503)
        assert await missing(door) == ["connection to NATS"]

        own_nats.start()

        async def accepted() -> bool:
            return (await door.http.post(f"{API}/jobs", json=JOB)).status_code == 202

        await wait_until(accepted, "jobs are accepted again")
        assert await missing(door) == []


async def test_a_full_stream_pushes_back(nats: Server, namespace: str, storage: Storage) -> None:
    settings = {"stream_max_bytes": 1 << 20, "submit_reply_timeout": 0.05}
    async with gateway(nats.address, namespace, storage, **settings) as door:
        large = {"type": "echo", "payload": "x" * 250_000}
        answers = [await door.http.post(f"{API}/jobs", json=large) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 202, 503]
        assert "nothing was stored" in problem(answers[-1], 503).detail


async def test_too_many_submissions_under_way_are_refused(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage, max_pending_jobs=1_000, submit_reply_timeout=0.5) as door:
        batch = {"jobs": [JOB] * 600}
        answers = await asyncio.gather(*(door.http.post(f"{API}/jobs/batch", json=batch) for _ in range(2)))
        statuses = [{item["status"] for item in answer.json()["items"]} for answer in answers]
        assert sorted(statuses, key=max) == [{202}, {503}]
        assert (await door.http.post(f"{API}/jobs/batch", json=batch)).json()["items"][0]["status"] == 202


async def test_a_job_larger_than_the_broker_takes(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage, max_payload_bytes=4 << 20, max_body_bytes=4 << 20) as door:
        found = problem(await door.http.post(f"{API}/jobs", json={"type": "echo", "payload": "x" * (1 << 20)}), 422)
        assert found.errors[0].field == "payload"
        assert "too large for the broker" in found.detail


async def test_commands_without_a_queue_manager(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage, command_timeout=0.2) as door:
        found = problem(await door.http.post(f"{API}/queues", json={"name": "a"}), 503)
        assert "nobody answered create_queue" in found.detail


async def test_without_the_storage(nats: Server, own_valkey: ServerProcess, namespace: str) -> None:
    storage = RedisStorage(own_valkey.address, namespace)
    await storage.open()
    async with gateway(nats.address, namespace, storage, submit_reply_timeout=0.1) as door:
        own_valkey.kill()
        refused = await door.http.get(f"{API}/jobs")
        assert "storage does not answer" in problem(refused, 503).detail
        assert refused.headers["retry-after"]
        problem(await door.http.get(f"{API}/jobs/01900000-0000-7000-8000-000000000000"), 503)
        (lack,) = await missing(door)
        assert lack.startswith("storage")
        assert (await door.http.post(f"{API}/jobs", json=JOB)).status_code == 202
    await storage.close()


async def test_a_reply_that_is_short_of_results_is_none(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage, submit_reply_timeout=0.3) as door:

        async def reply_short(message: Msg) -> None:
            request = v1.SubmitJobs.FromString(message.data)
            results = [v1.SubmitResult(spec=request.jobs[0], state=v1.JOB_STATE_PENDING)]
            reply = v1.SubmitReply(request_id=request.request_id, results=results)
            await door.bus.publish(request.reply_to, reply.SerializeToString())

        await door.bus.client.subscribe(door.bus.subjects.any_submit, cb=reply_short)
        batch = await door.http.post(f"{API}/jobs/batch", json={"jobs": [JOB, JOB]})
        assert [item["status"] for item in batch.json()["items"]] == [202, 202]


async def test_stopping_answers_those_who_wait(nats: Server, namespace: str, storage: Storage) -> None:
    async with queue_manager(nats.address, namespace, storage), httpx.AsyncClient(timeout=30) as http:
        async with gateway(nats.address, namespace, storage) as door:
            job = await door.submit()
            before = len(door.bus.client._subs)
            wait = asyncio.create_task(http.get(door.http.base_url.join(f"{API}/jobs/{job['id']}?wait=60s")))
            await wait_until(lambda: len(door.bus.client._subs) > before, "the gateway listens for the job's end")
        assert (await wait).json()["status"] == "pending"


async def test_a_taken_port_is_named(nats: Server, namespace: str, storage: Storage) -> None:
    async with gateway(nats.address, namespace, storage) as door:
        with pytest.raises(OSError, match=f"127.0.0.1:{door.http.base_url.port}"):
            async with gateway(nats.address, namespace, storage, http_port=door.http.base_url.port):
                pass


async def missing(door: Door) -> list[str]:
    """What /ready says is missing."""
    response = await door.http.get("/ready")
    found = Readiness.model_validate_json(response.content)
    assert (response.status_code, found.status) == ((503, "not ready") if found.missing else (200, "ready"))
    return found.missing
