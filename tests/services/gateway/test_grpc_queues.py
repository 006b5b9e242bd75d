"""gotask.v1.QueueService: the verbs of REST, in messages; and the standard services beside it."""

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from gotask import v1
from gotask.jobs.request import QueueRequest
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.grpc_support import jobs, new_job, queues, refused
from tests.services.gateway.support import Door, gateway, queue_manager
from tests.support.servers import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server) -> AsyncIterator[Door]:
    """One for all tests here: each has queues of its own."""
    storage = MemoryStorage()
    async with queue_manager(nats.address, "queues", storage), gateway(nats.address, "queues", storage) as opened:
        yield opened


async def test_a_queue_is_created_changed_paused_and_deleted(door: Door) -> None:
    service = queues(door.channel)
    retry = v1.RetryPolicy(max_retries=0, strategy=v1.RETRY_STRATEGY_FIXED, delay_us=1_500_000, jitter=0.5)
    settings = v1.QueueSettings(name="mail", max_workers=3, dead_letter=False, lease_us=15_000_000, retry=retry)
    made = await service.CreateQueue(settings)
    assert (made.max_workers, made.dead_letter, made.lease_us, made.weight) == (3, False, 15_000_000, 1)
    assert (made.retry.max_retries, made.retry.delay_us, made.retry.max_delay_us) == (0, 1_500_000, 3_600_000_000)
    with refused(grpc.StatusCode.ALREADY_EXISTS) as refusal:
        await service.CreateQueue(settings)
    assert refusal.fields == ("name",)
    assert await service.GetQueue(v1.QueueName(name="mail")) == made
    changed = await service.UpdateQueue(v1.QueueSettings(name="mail", priority=7))
    assert (changed.priority, changed.max_workers, changed.dead_letter) == (7, 0, True)
    assert (await service.PauseQueue(v1.QueueName(name="mail"))).paused
    assert not (await service.ResumeQueue(v1.QueueName(name="mail"))).paused
    assert "mail" in [queue.name for queue in (await service.ListQueues(Empty())).queues]
    await service.DeleteQueue(v1.QueueName(name="mail"))
    for call in (service.GetQueue(v1.QueueName(name="mail")), service.PauseQueue(v1.QueueName(name="mail"))):
        with refused(grpc.StatusCode.NOT_FOUND):
            await call


async def test_what_is_not_set_has_the_defaults_of_rest(door: Door) -> None:
    made = await queues(door.channel).CreateQueue(v1.QueueSettings(name="plain"))
    wanted = QueueRequest(name="plain").to_queue("plain", made.created_at_us)
    wanted.updated_at_us = made.updated_at_us
    assert made == wanted


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (v1.QueueSettings(), "name"),
        (v1.QueueSettings(name="a.b"), "name"),
        (v1.QueueSettings(name="a", weight=0), "weight"),
        (v1.QueueSettings(name="a", priority=256), "priority"),
        (v1.QueueSettings(name="a", rate_limit=-1), "rate_limit"),
        (v1.QueueSettings(name="a", lease_us=1), "lease"),
        (v1.QueueSettings(name="a", timeout_us=1 << 60), "timeout"),
        (v1.QueueSettings(name="a", retry=v1.RetryPolicy(max_retries=1001)), "max_retries"),
        (v1.QueueSettings(name="a", retry=v1.RetryPolicy(jitter=2)), "retry_jitter"),
    ],
)
async def test_wrong_settings(door: Door, settings: v1.QueueSettings, field: str) -> None:
    with refused(grpc.StatusCode.INVALID_ARGUMENT) as refusal:
        await queues(door.channel).CreateQueue(settings)
    assert refusal.fields == (field,)


async def test_figures(door: Door) -> None:
    await jobs(door.channel).SubmitJobs(v1.SubmitJobsRequest(jobs=[new_job(queue="counted")] * 3))
    stats = await queues(door.channel).GetQueueStats(v1.QueueName(name="counted"))
    assert (stats.pending, stats.running, stats.workers) == (3, 0, 0)
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        await queues(door.channel).DeleteQueue(v1.QueueName(name="counted"))


async def test_a_queue_is_purged(door: Door) -> None:
    await jobs(door.channel).SubmitJobs(v1.SubmitJobsRequest(jobs=[new_job(queue="purged")] * 3))
    await door.start_jobs("purged")
    purged = await queues(door.channel).PurgeQueue(v1.QueueName(name="purged"))
    assert purged == v1.QueuePurged(cancelled=2, complete=True)
    with refused(grpc.StatusCode.NOT_FOUND):
        await queues(door.channel).PurgeQueue(v1.QueueName(name="nowhere"))


async def test_dead_letters(door: Door) -> None:
    service = queues(door.channel)
    once = v1.RetryPolicy(max_retries=0)
    for _ in range(3):
        await jobs(door.channel).SubmitJob(new_job(queue="grave", retry=once))
    for claimed in await door.start_jobs("grave", 3):
        await door.end_job(claimed, outcome=v1.OUTCOME_FAILURE, error=v1.JobError(type="ValueError"))
        await jobs(door.channel).GetJob(v1.GetJobRequest(id=claimed.job_id, wait_us=20_000_000))
    listed = await service.ListDeadJobs(v1.ListDeadJobsRequest(queue="grave", error_type="ValueError", limit=2))
    assert len(listed.jobs) == 2
    assert listed.jobs[0].history.attempts[0].error.type == "ValueError"
    one = v1.DeadLetters(queue="grave", ids=[listed.jobs[0].spec.id])
    assert await service.RetryDeadJobs(one) == v1.DeadJobsChanged(count=1, complete=True)
    for wrong in (v1.DeadLetters(queue="grave", cursor="x"), one):
        with refused(grpc.StatusCode.INVALID_ARGUMENT):
            await service.PurgeDeadJobs(wrong)
    assert (await service.PurgeDeadJobs(v1.DeadLetters(queue="grave"))).count == 2
    with refused(grpc.StatusCode.NOT_FOUND):
        await service.RetryDeadJobs(v1.DeadLetters(queue="nowhere"))


async def test_health_and_reflection(door: Door) -> None:
    for name in ("", "gotask.v1.JobService"):
        health = await HealthStub(door.channel).Check(HealthCheckRequest(service=name))
        assert health.status == HealthCheckResponse.SERVING
    asked = iter([ServerReflectionRequest(list_services="")])
    (answer,) = [each async for each in ServerReflectionStub(door.channel).ServerReflectionInfo(asked)]
    assert {service.name for service in answer.list_services_response.service} == {
        "gotask.v1.JobService",
        "gotask.v1.QueueService",
        "gotask.v1.ScheduleService",
        "gotask.v1.WorkerService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
