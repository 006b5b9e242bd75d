"""Jobs that come over NATS, without a gateway: as protobuf or JSON; and what becomes of those that cannot be stored."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.aio.msg import Msg

from gotask import v1
from gotask.bus.bus import Publication
from gotask.bus.subjects import Stream
from gotask.jobs.ids import new_id
from gotask.jobs.states import PENDING
from gotask.storage.contract import DeleteQueueStatus, JobFilter
from gotask.storage.memory import MemoryStorage
from tests.services.queue_manager.support import Desk, desk
from tests.support.servers import Server
from tests.support.streams import messages_in
from tests.support.waiting import wait_until

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def manager(nats: Server, namespace: str) -> AsyncIterator[Desk]:
    async with desk(nats.address, namespace, MemoryStorage()) as opened:
        yield opened


async def inbox(manager: Desk) -> "tuple[str, asyncio.Queue[v1.SubmitReply]]":
    """A subject for replies, and where they arrive."""
    replies: asyncio.Queue[v1.SubmitReply] = asyncio.Queue()
    subject = manager.bus.client.new_inbox()

    async def on_reply(message: Msg) -> None:
        replies.put_nowait(v1.SubmitReply.FromString(message.data))

    await manager.bus.subscribe(subject, on_reply)
    return subject, replies


async def rejected(manager: Desk, count: int) -> list[v1.Rejected]:
    async def kept() -> list[bytes]:
        messages = await messages_in(manager.bus, Stream.REJECTED)
        return messages[:count] if len(messages) >= count else []

    messages = await wait_until(kept, f"{count} messages are kept as rejected")
    return [v1.Rejected.FromString(data) for data in messages]


async def test_one_job_may_be_published_as_json(manager: Desk) -> None:
    body = b'{"type": "echo", "payload": [1], "priority": 7}'
    await manager.bus.js.publish(manager.bus.subjects.submit("mail"), body, headers=JSON)

    async def stored() -> list[v1.Job]:
        return (await manager.storage.list_jobs(JobFilter(queue="mail"), "", 2)).jobs

    (job,) = await wait_until(stored, "the job is stored")
    assert (job.state, job.spec.queue, job.spec.payload, job.spec.priority) == (PENDING, "mail", b"[1]", 7)


async def test_what_cannot_be_stored_is_kept_with_the_reason(manager: Desk) -> None:
    await manager.bus.js.publish(manager.bus.subjects.submit("default"), b'{"type": "a", "nonsense": 1}', headers=JSON)
    wrong = v1.SubmitJobs(jobs=[v1.JobSpec(id=new_id(), type="no good", queue="default")])
    await manager.bus.publish_durable(
        Publication(manager.bus.subjects.submit("default"), wrong.SerializeToString(), "wrong")
    )
    await manager.bus.js.publish(manager.bus.subjects.submit("default"), b"neither")
    reasons = [record.reason for record in await rejected(manager, 3)]
    assert any(reason.startswith("nonsense: ") for reason in reasons)
    assert any(reason.startswith("type: use 1 to 128") for reason in reasons)
    assert any(reason.startswith("neither a SubmitJobs message nor") for reason in reasons)


async def test_a_job_must_name_the_queue_of_its_subject(manager: Desk) -> None:
    body = v1.SubmitJobs(jobs=[v1.JobSpec(id=new_id(), type="echo", queue="other")]).SerializeToString()
    await manager.bus.publish_durable(Publication(manager.bus.subjects.submit("mail"), body, "other"))
    (record,) = await rejected(manager, 1)
    assert record.reason == "queue: 'other' was submitted to the subject of 'mail'"


async def test_a_queue_that_was_deleted_behind_our_back_is_made_again_on_use(manager: Desk) -> None:
    first = await manager.submit("mail")
    await manager.hears("created", first)
    await manager.report(await manager.claim(queue="mail"), v1.OUTCOME_SUCCESS)
    await manager.hears("succeeded", first)
    assert await manager.storage.delete_queue("mail") is DeleteQueueStatus.DELETED
    await manager.hears("created", await manager.submit("mail"))
