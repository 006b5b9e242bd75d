"""Submitting with nothing but a NATS client, as docs/nats.md says."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats import connect
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from gotask import v1
from gotask.jobs.ids import new_id
from gotask.storage.contract import JobFilter
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.support import queue_manager
from tests.support.servers import Server
from tests.support.waiting import wait_until

DOCUMENT = Path(__file__).parents[3] / "docs" / "nats.md"
JSON = {"Content-Type": "application/json"}


@dataclass
class Door:
    """A bare client, and what is behind the door."""

    client: Client
    namespace: str
    storage: MemoryStorage
    url: str

    async def publish(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> int:
        """The message's sequence in the stream."""
        ack = await self.client.jetstream().publish(f"{self.namespace}.v1.{subject}", data, headers=headers)
        assert ack.stream == f"{self.namespace}_SUBMIT"
        return int(ack.seq)

    async def ask(self, subject: str, data: bytes) -> Any:
        """Publishes a job as JSON; the answer."""
        inbox = self.client.new_inbox()
        answers = await self.client.subscribe(inbox)
        await self.publish(subject, data, {**JSON, "Gotask-Reply-To": inbox})
        return orjson.loads((await answers.next_msg(timeout=10)).data)

    async def jobs(self, count: int) -> list[v1.Job]:
        """The stored jobs, newest first, once there are *count*."""

        async def look() -> list[v1.Job]:
            found = (await self.storage.list_jobs(JobFilter(), "", 500)).jobs
            return found if len(found) >= count else []

        jobs: list[v1.Job] = await wait_until(look, f"{count} jobs are stored")
        assert len(jobs) == count
        return jobs

    async def rejected(self, reason: str) -> tuple[Msg, v1.Rejected]:
        """The first message that was rejected for *reason*."""
        subject = f"{self.namespace}.v1.rejected.{reason}"
        subscription = await self.client.jetstream().subscribe(subject, deliver_policy=DeliverPolicy.ALL)
        message = await subscription.next_msg(timeout=10)
        return message, v1.Rejected.FromString(message.data)


@pytest.fixture
async def door(nats: Server, namespace: str) -> AsyncIterator[Door]:
    storage = MemoryStorage()
    async with queue_manager(nats.address, namespace, storage):
        client = await connect(nats.address)
        yield Door(client, namespace, storage, nats.address)
        await client.close()


def spec(**fields: Any) -> v1.JobSpec:
    return v1.JobSpec(**{"id": new_id(), "type": "echo", "queue": "default", "priority": 1, **fields})


async def test_one_job_as_json(door: Door) -> None:
    await door.publish("submit.mail", b'{"type": "echo", "payload": {"a": 1}, "priority": 7, "max_retries": 1}', JSON)
    (job,) = await door.jobs(1)
    assert (job.spec.type, job.spec.queue, job.spec.payload, job.spec.priority) == ("echo", "mail", b'{"a":1}', 7)
    assert (job.spec.retry.max_retries, job.spec.timeout_us) == (1, 300_000_000)


async def test_a_message_that_is_published_again_is_one_job(door: Door) -> None:
    headers = {**JSON, "Nats-Msg-Id": "order-7"}
    first = await door.publish("submit.default", b'{"type": "echo"}', headers)
    assert await door.publish("submit.default", b'{"type": "echo"}', headers) == first
    await door.publish("submit.default", b'{"type": "echo", "payload": "last"}', JSON)
    await door.jobs(2)


async def test_the_answer_to_json_is_json(door: Door) -> None:
    answer = await door.ask("submit.default", b'{"type": "echo", "idempotency_key": "k"}')
    (job,) = await door.jobs(1)
    assert answer == {"id": job.spec.id, "queue": "default", "submission": "created", "status": "pending"}
    again = await door.ask("submit.default", b'{"type": "echo", "idempotency_key": "k"}')
    assert again == {"id": job.spec.id, "submission": "existed"}


@pytest.mark.parametrize(
    ("data", "field", "complaint"),
    [
        (b"{", "body", "Invalid JSON"),
        (b"[]", "body", "must be a JSON object"),
        (b'{"payload": 1}', "type", "is required"),
        (b'{"type": "echo", "colour": 1}', "colour", "there is no such field"),
        (b'{"type": "echo", "priority": 256}', "priority", "less than or equal to 255"),
        (b'{"type": "echo", "queue": "other"}', "queue", "'other' was submitted to the subject of 'default'"),
        (b'{"type": "echo", "delay": "soon", "x": 1}', "delay", "not a duration: 'soon'; .*x: there is no such field"),
        (b'{"type": "echo", "payload": "' + b"x" * 300_000 + b'"}', "payload", "the limit is 262144"),
    ],
)
async def test_json_that_is_no_job_is_answered_with_the_field(
    door: Door, data: bytes, field: str, complaint: str
) -> None:
    error = (await door.ask("submit.default", data))["error"]
    assert (error["code"], error["field"]) == ("invalid_argument", field)
    assert re.search(complaint, error["message"])


async def test_what_cannot_be_read_is_kept_with_the_reason(door: Door) -> None:
    await door.publish("submit.default", b'{"type": ', {**JSON, "X-Sender": "shop"})
    message, rejected = await door.rejected("undecodable")
    assert rejected.subject == f"{door.namespace}.v1.submit.default"
    assert rejected.data == b'{"type": '
    assert rejected.headers["X-Sender"] == "shop"
    assert rejected.reason.startswith("body: Invalid JSON: EOF while parsing")
    assert message.headers is not None
    assert message.headers["Gotask-Subject"] == rejected.subject
    assert message.headers["Gotask-Reason"].startswith("body: Invalid JSON: EOF while parsing")


async def test_bytes_that_are_neither_are_kept_with_the_reason(door: Door) -> None:
    await door.publish("submit", b"\xff\xff\xff not protobuf")
    _, rejected = await door.rejected("undecodable")
    assert rejected.reason.startswith("neither a SubmitJobs message nor, by its Content-Type header, JSON")


async def test_what_is_refused_and_nobody_waits_for_is_kept(door: Door) -> None:
    await door.storage.create_queue(v1.Queue(name="small", max_length=1, weight=1))
    await door.publish("submit.small", b'{"type": "echo"}', JSON)
    await door.publish("submit.small", b'{"type": "echo", "payload": 2}', JSON)
    _, full = await door.rejected("queue_full")
    assert (full.reason, full.data) == ("queue: queue 'small' is full", b'{"type": "echo", "payload": 2}')
    wrong = v1.SubmitJobs(jobs=[spec(queue="other"), spec(queue="small", priority=256)])
    await door.publish("submit.small", wrong.SerializeToString())
    _, invalid = await door.rejected("invalid")
    assert invalid.reason == "queue: 'other' was submitted to the subject of 'small'"
    assert v1.SubmitJobs.FromString(invalid.data).jobs == [wrong.jobs[0]]


async def test_a_full_queue_is_answered(door: Door) -> None:
    await door.storage.create_queue(v1.Queue(name="small", max_length=1, weight=1))
    assert (await door.ask("submit.small", b'{"type": "echo"}'))["submission"] == "created"
    error = (await door.ask("submit.small", b'{"type": "echo"}'))["error"]
    assert error == {"code": "resource_exhausted", "field": "queue", "message": "queue 'small' is full"}


async def test_a_batch_as_protobuf(door: Door) -> None:
    inbox = door.client.new_inbox()
    answers = await door.client.subscribe(inbox)
    jobs = [spec(queue=f"q{number % 2}", payload=str(number).encode()) for number in range(100)]
    wrong = spec(type="not a type")
    batch = v1.SubmitJobs(jobs=[*jobs, wrong], reply_to=inbox, request_id=uuid.uuid4().hex)
    await door.publish("submit", batch.SerializeToString())
    reply = v1.SubmitReply.FromString((await answers.next_msg(timeout=10)).data)
    assert reply.request_id == batch.request_id
    assert [result.spec.id for result in reply.results[:-1]] == [job.id for job in jobs]
    assert (reply.results[-1].status.code, reply.results[-1].status.field) == (3, "type")
    stored = await door.jobs(100)
    assert {job.spec.id for job in stored} == {job.id for job in jobs}


@pytest.mark.parametrize(
    "reply_to", ["gotask.v1.drain.w", "$JS.API.STREAM.PURGE.x", "_INBOX", "_INBOX.>", "_INBOX.a..b", "INBOX.a"]
)
async def test_no_answer_goes_where_nobody_but_a_queue_manager_may_publish(door: Door, reply_to: str) -> None:
    batch = v1.SubmitJobs(jobs=[spec()], reply_to=reply_to)
    await door.publish("submit.default", batch.SerializeToString())
    _, rejected = await door.rejected("invalid")
    assert rejected.reason.startswith(f"reply_to: {reply_to!r} is no inbox: use a subject of _INBOX.>")
    assert rejected.data == batch.SerializeToString()
    await door.publish("submit.default", b'{"type": "echo"}', {**JSON, "Gotask-Reply-To": reply_to})
    await door.publish("submit.default", b'{"type": "echo"}', JSON)
    await door.jobs(1)


async def test_a_batch_that_nobody_asks_about(door: Door) -> None:
    batch = v1.SubmitJobs(jobs=[spec(), spec()])
    await door.publish("submit.default", batch.SerializeToString())
    await door.jobs(2)
    await door.publish("submit.default", batch.SerializeToString())
    await door.publish("submit.default", v1.SubmitJobs(jobs=[spec()]).SerializeToString())
    await door.jobs(3)


async def test_the_program_of_the_document_runs(door: Door) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    program = program.replace("nats://127.0.0.1:4222", door.url).replace('"gotask.v1.', f'"{door.namespace}.v1.')
    names: dict[str, Any] = {"__name__": "document"}
    told: list[str] = []
    names["print"] = lambda *parts: told.append(" ".join(map(str, parts)))
    compiled = compile(program.replace("asyncio.run(main())", ""), str(DOCUMENT), "exec")
    exec(compiled, names)
    await asyncio.wait_for(names["main"](), 20)
    assert told == ["100 stored"]


async def test_the_answers_of_the_document_are_those_that_come(door: Door) -> None:
    created, refused = (
        orjson.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    )
    answer = await door.ask("submit.default", b'{"type": "echo", "payload": "hello"}')
    assert answer.keys() == created.keys()
    assert answer | {"id": created["id"]} == created
    assert await door.ask("submit.default", b'{"type": "echo", "priority": 256}') == refused
