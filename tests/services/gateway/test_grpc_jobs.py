"""gotask.v1.JobService: the verbs of REST, in messages."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from gotask import v1
from gotask.jobs.ids import new_id
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.grpc_support import frames, jobs, new_job, queues, refused
from tests.services.gateway.support import Door, gateway, queue_manager
from tests.support.servers import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

INVALID = grpc.StatusCode.INVALID_ARGUMENT
HOUR_US = 3_600_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server) -> AsyncIterator[Door]:
    """One for all tests here."""
    storage = MemoryStorage()
    async with queue_manager(nats.address, "jobs", storage), gateway(nats.address, "jobs", storage) as opened:
        yield opened


async def test_a_job_is_submitted_found_cancelled_retried_and_deleted(door: Door) -> None:
    service = jobs(door.channel)
    submitted = await service.SubmitJob(new_job(payload=b'{"to": 1}', tags=["mail"], metadata={"a": "b"}))
    assert submitted.submission == v1.SUBMISSION_CREATED
    spec = submitted.job.spec
    assert (spec.queue, spec.priority, spec.timeout_us, spec.retry.max_retries) == ("default", 1, 300_000_000, 3)
    found = await service.GetJob(v1.GetJobRequest(id=spec.id))
    assert (found, found.state) == (submitted.job, v1.JOB_STATE_PENDING)
    assert (await service.CancelJob(v1.JobId(id=spec.id))).state == v1.JOB_STATE_CANCELLED
    with refused(grpc.StatusCode.FAILED_PRECONDITION) as refusal:
        await service.CancelJob(v1.JobId(id=spec.id))
    assert "is cancelled already" in refusal.message
    assert (await service.RetryJob(v1.JobId(id=spec.id))).state == v1.JOB_STATE_PENDING
    await service.CancelJob(v1.JobId(id=spec.id))
    await service.DeleteJob(v1.JobId(id=spec.id))
    for call in (service.GetJob(v1.GetJobRequest(id=spec.id)), service.DeleteJob(v1.JobId(id=spec.id))):
        with refused(grpc.StatusCode.NOT_FOUND) as refusal:
            await call
        assert (refusal.message, refusal.fields) == (f"there is no job {spec.id}", ("id",))


async def test_a_job_that_is_submitted_again_under_its_id_or_key_is_the_same(door: Door) -> None:
    service = jobs(door.channel)
    job_id = new_id()
    for _ in range(2):
        again = await service.SubmitJob(new_job(id=job_id, priority=0))
        assert (again.submission, again.job.spec.id, again.job.spec.priority) == (v1.SUBMISSION_CREATED, job_id, 0)
    first = await service.SubmitJob(new_job(idempotency_key="once", payload=b"1"))
    second = await service.SubmitJob(new_job(idempotency_key="once", payload=b"2"))
    assert (second.submission, second.job) == (v1.SUBMISSION_EXISTED, first.job)


async def test_times_may_be_from_now(door: Door) -> None:
    service = jobs(door.channel)
    job = (await service.SubmitJob(new_job(delay_us=HOUR_US, ttl_us=2 * HOUR_US))).job
    assert (job.state, job.due_at_us) == (v1.JOB_STATE_SCHEDULED, job.spec.scheduled_at_us)
    assert job.spec.scheduled_at_us - job.spec.created_at_us == HOUR_US
    assert job.spec.expires_at_us - job.spec.created_at_us == 2 * HOUR_US


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (v1.NewJob(), "type"),
        (new_job(type="a b"), "type"),
        (new_job(queue="a.b"), "queue"),
        (new_job(id="1"), "id"),
        (new_job(priority=256), "priority"),
        (new_job(payload=b"{"), "payload"),
        (new_job(schedule_id="mine"), "schedule_id"),
        (new_job(scheduled_at_us=1, delay_us=1), "delay_us"),
        (new_job(ttl_us=1 << 60), "ttl_us"),
        (new_job(tags=["a\0b"]), "tags.0"),
        (new_job(idempotency_key="a\0b"), "idempotency_key"),
        (new_job(retry=v1.RetryPolicy(max_retries=1001)), "max_retries"),
    ],
)
async def test_wrong_jobs_are_refused_by_their_field(door: Door, wanted: v1.NewJob, field: str) -> None:
    service = jobs(door.channel)
    with refused(INVALID) as refusal:
        await service.SubmitJob(wanted)
    assert refusal.fields == (field,)
    answer = await service.SubmitJobs(v1.SubmitJobsRequest(jobs=[new_job(), wanted]))
    assert [outcome.status.field for outcome in answer.outcomes] == ["", f"jobs.1.{field}"]
    acks = [ack async for ack in service.SubmitStream(frames([wanted]))]
    assert [ack.status.field for ack in acks[0].acks] == [field]


async def test_a_field_that_is_not_known_is_refused_not_ignored(door: Door) -> None:
    call: Any = door.channel.unary_unary("/gotask.v1.JobService/SubmitJob")
    with refused(INVALID) as refusal:
        await call(new_job().SerializeToString() + b"\x98\x06\x01")
    assert "fields that this gateway does not know" in refusal.message


@pytest.mark.parametrize("garbage", [b"\xff", b"\x0a\xff\xff\xff\xff\x7f", b"\x0a\x02\x0a\xc0", b"\x00" * 40])
async def test_what_is_no_message_is_refused(door: Door, garbage: bytes) -> None:
    unary: Any = door.channel.unary_unary("/gotask.v1.JobService/SubmitJob")
    stream: Any = door.channel.stream_stream("/gotask.v1.JobService/SubmitStream")
    watch: Any = door.channel.unary_stream("/gotask.v1.JobService/WatchEvents")
    with refused(INVALID) as refusal:
        await unary(garbage)
    assert refusal.message == "the request is no gotask.v1.NewJob"
    for call in (stream(iter([garbage])), watch(garbage)):
        with refused(INVALID):
            await anext(aiter(call))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (v1.ListJobsRequest(states=[v1.JOB_STATE_UNSPECIFIED]), "states"),
        (v1.ListJobsRequest(limit=501), "limit"),
        (v1.ListJobsRequest(cursor="abc"), "cursor"),
    ],
)
async def test_wrong_lists(door: Door, request_: v1.ListJobsRequest, field: str) -> None:
    with refused(INVALID) as refusal:
        await jobs(door.channel).ListJobs(request_)
    assert refusal.fields == (field,)


async def test_lists_come_in_pages(door: Door) -> None:
    service = jobs(door.channel)
    answer = await service.SubmitJobs(v1.SubmitJobsRequest(jobs=[new_job(tags=["mine"]) for _ in range(5)]))
    wanted = [outcome.job.spec.id for outcome in answer.outcomes][::-1]
    await service.SubmitJob(new_job())
    found, cursor = [], ""
    while True:
        page = await service.ListJobs(v1.ListJobsRequest(tag="mine", limit=2, cursor=cursor))
        found += [job.spec.id for job in page.jobs]
        if not (cursor := page.next_cursor):
            break
    assert found == wanted


async def test_waiting_ends_with_the_job(door: Door) -> None:
    service = jobs(door.channel)
    job_id = (await service.SubmitJob(new_job(queue="waited"))).job.spec.id
    with refused(INVALID):
        await service.GetJob(v1.GetJobRequest(id=job_id, wait_us=61_000_000))
    waiting = asyncio.ensure_future(service.GetJob(v1.GetJobRequest(id=job_id, wait_us=30_000_000)))
    (claimed,) = await door.start_jobs("waited")
    await door.end_job(claimed, result=b'"done"')
    assert (await waiting).result == b'"done"'


async def test_a_stream_takes_frames_and_acknowledges_each_job(door: Door) -> None:
    service = jobs(door.channel)
    await queues(door.channel).CreateQueue(v1.QueueSettings(name="small", max_length=1))
    sent = [
        [new_job(), new_job(queue="small"), new_job(queue="small")],
        *([new_job(idempotency_key=f"k{number % 50}")] * 3 for number in range(100)),
    ]
    acks = {ack.frame: list(ack.acks) async for ack in service.SubmitStream(frames(*sent))}
    assert sorted(acks) == list(range(1, 102))
    created, taken, full = acks[1]
    assert (created.submission, created.state) == (v1.SUBMISSION_CREATED, v1.JOB_STATE_PENDING)
    assert taken.submission == v1.SUBMISSION_CREATED
    assert (full.status.code, full.status.message) == (8, "queue 'small' is full")
    ids = {ack.id for frame in range(2, 102) for ack in acks[frame]}
    assert len(ids) == 50
    assert {job.spec.id for job in (await service.ListJobs(v1.ListJobsRequest(limit=500))).jobs} >= ids


@pytest.mark.parametrize("number", [0, 1001])
async def test_a_frame_of_a_wrong_size_ends_the_stream(door: Door, number: int) -> None:
    with refused(INVALID) as refusal:
        async for _ in jobs(door.channel).SubmitStream(frames([new_job()], [new_job()] * number)):
            pass
    assert refusal.fields == ("jobs",)


async def test_without_a_queue_manager_jobs_are_accepted(nats: Server, namespace: str) -> None:
    async with gateway(nats.address, namespace, MemoryStorage(), submit_reply_timeout=0.1, command_timeout=0.1) as door:
        service = jobs(door.channel)
        accepted = await service.SubmitJob(new_job(delay_us=HOUR_US))
        assert (accepted.submission, accepted.job.state) == (v1.SUBMISSION_ACCEPTED, v1.JOB_STATE_SCHEDULED)
        (ack,) = [ack async for ack in service.SubmitStream(frames([new_job()]))]
        assert ack.acks[0].submission == v1.SUBMISSION_ACCEPTED
        with refused(grpc.StatusCode.UNAVAILABLE) as refusal:
            await service.CancelJob(v1.JobId(id=ack.acks[0].id))
        assert refusal.retry_after_s == 2


async def test_a_message_that_is_too_large_is_refused(nats: Server, namespace: str) -> None:
    async with gateway(nats.address, namespace, MemoryStorage(), max_batch_body_bytes=4096) as door:
        with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
            await jobs(door.channel).SubmitJob(new_job(payload=b'"' + b"x" * 5000 + b'"'))


async def test_many_commands_share_messages(door: Door) -> None:
    service = jobs(door.channel)
    answer = await service.SubmitJobs(v1.SubmitJobsRequest(jobs=[new_job() for _ in range(200)]))
    messages = 0

    async def count(_: object) -> None:
        nonlocal messages
        messages += 1

    await door.bus.client.subscribe(door.bus.subjects.command("cancel_jobs"), cb=count)
    ids = [outcome.job.spec.id for outcome in answer.outcomes]
    cancelled = await asyncio.gather(*(service.CancelJob(v1.JobId(id=job_id)) for job_id in ids))
    assert {job.state for job in cancelled} == {v1.JOB_STATE_CANCELLED}
    assert 0 < messages < 100
