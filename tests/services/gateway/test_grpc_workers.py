"""gotask.v1.WorkerService: enough for a worker that knows nothing else of GoTask."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.jobs.ids import new_id
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.grpc_support import jobs, new_job, refused, workers
from tests.services.gateway.support import Door, gateway, queue_manager
from tests.support.servers import Server
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
INVALID = grpc.StatusCode.INVALID_ARGUMENT

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server) -> AsyncIterator[Door]:
    """One for all tests here: each has queues of its own."""
    storage = MemoryStorage()
    async with (
        queue_manager(nats.address, "workers", storage, first_lease=30),
        gateway(nats.address, "workers", storage) as opened,
    ):
        yield opened


async def submit(door: Door, **fields: Any) -> str:
    return (await jobs(door.channel).SubmitJob(new_job(**fields))).job.spec.id


async def ended(door: Door, job_id: str) -> v1.Job:
    return await jobs(door.channel).GetJob(v1.GetJobRequest(id=job_id, wait_us=30_000_000))


async def claim(door: Door, worker: str, queue: str, capacity: int = 1, wait_us: int = 20_000_000) -> v1.ClaimedJobs:
    """All parts of the answer in one."""
    request = v1.ClaimRequest(worker=worker, queues=[queue], capacity=capacity, wait_us=wait_us)
    whole = v1.ClaimedJobs()
    async for part in workers(door.channel).Claim(request):
        whole.MergeFrom(part)
    return whole


def result_of(spec: v1.JobSpec, attempt: int, outcome: v1.Outcome.ValueType, **fields: Any) -> v1.JobResult:
    ran = v1.Attempt(attempt=attempt, worker="w", started_at_us=1, finished_at_us=2, outcome=outcome)
    return v1.JobResult(job_id=spec.id, queue=spec.queue, type=spec.type, attempt=ran, **fields)


async def test_a_job_is_claimed_kept_alive_and_reported(door: Door) -> None:
    service = workers(door.channel)
    claiming = asyncio.create_task(claim(door, "w1", "kept"))
    job_id = await submit(door, queue="kept", payload=b"[1]")
    claimed = await claiming
    assert [(spec.id, spec.payload) for spec in claimed.specs] == [(job_id, b"[1]")]
    assert (list(claimed.attempts), list(claimed.tries), claimed.last) == ([1], [1], True)
    other = new_id()
    beat = v1.Heartbeat(
        worker=v1.WorkerInfo(id="w1", queues=["kept"], types=["echo"], concurrency=2, running=1),
        job_ids=[job_id, other],
        attempts=[1, 1],
        queues=["kept", "kept"],
    )
    assert (await service.Heartbeat(beat)).lost == [other]
    (listed,) = (await service.ListWorkers(Empty())).workers
    assert (listed.id, list(listed.types), listed.running) == ("w1", ["echo"], 1)
    progress = v1.JobProgress(job_id=job_id, attempt=1, queue="kept", progress=v1.Progress(percent=50, at_us=1))
    await service.Report(v1.JobResults(worker="w1", progress=[progress]))
    report = v1.JobResults(worker="w1", results=[result_of(claimed.specs[0], 1, v1.OUTCOME_SUCCESS, result=b'"ok"')])
    for _ in range(2):
        await service.Report(report)
    job = await ended(door, job_id)
    assert (job.state, job.result, job.progress.percent) == (v1.JOB_STATE_SUCCESS, b'"ok"', 50)


async def test_a_claim_without_work_is_answered_in_time(door: Door) -> None:
    assert (await claim(door, "w2", "idle", wait_us=0)).last
    waiting = asyncio.create_task(claim(door, "w2", "idle", wait_us=60_000_000))
    await asyncio.sleep(0)
    service = workers(door.channel)

    async def withdrawn() -> bool:
        await service.Withdraw(v1.WorkerName(id="w2"))
        return waiting.done()

    await wait_until(withdrawn, "the claim is answered")
    assert not (await waiting).specs


async def test_jobs_for_a_worker_that_has_gone_are_handed_back(door: Door) -> None:
    request = v1.ClaimRequest(worker="gone", queues=["left"], capacity=5, wait_us=60_000_000)
    call = workers(door.channel).Claim(request)
    reading = asyncio.ensure_future(anext(aiter(call)))
    await wait_until(lambda: claims_of(door, "left"), "the claim has come")
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    ids = {await submit(door, queue="left") for _ in range(5)}
    found: set[str] = set()
    while found != ids:
        claimed = await claim(door, "here", "left", capacity=5)
        found |= {spec.id for spec in claimed.specs}
        assert set(claimed.tries) == {1}


async def claims_of(door: Door, queue: str) -> bool:
    """Whether a claim for *queue* is parked: a job that comes is started at once."""
    job_id = await submit(door, queue=queue)
    started = (await jobs(door.channel).GetJob(v1.GetJobRequest(id=job_id))).state == v1.JOB_STATE_RUNNING
    if not started:
        await jobs(door.channel).CancelJob(v1.JobId(id=job_id))
    return started


async def test_cancellations_are_told_at_once(door: Door) -> None:
    job_id = await submit(door, queue="cancelled")
    orders = aiter(workers(door.channel).WatchCancellations(v1.WorkerName(id="w3")))
    told = asyncio.ensure_future(anext(orders))
    await claim(door, "w3", "cancelled")

    async def cancelled() -> bool:
        with contextlib.suppress(grpc.aio.AioRpcError):
            await jobs(door.channel).CancelJob(v1.JobId(id=job_id))
        # The watch may not have begun: then the order is told to nobody, and given again.
        await door.bus.publish(door.bus.subjects.cancel("w3"), v1.CancelJobs(job_ids=[job_id]).SerializeToString())
        return told.done()

    await wait_until(cancelled, "the worker hears of it")
    assert list((await told).job_ids) == [job_id]


SPEC = v1.JobSpec(id=new_id(), queue="q", type="t")


@pytest.mark.parametrize(
    ("call", "request_", "field"),
    [
        ("Claim", v1.ClaimRequest(queues=["q"], capacity=1), "worker"),
        ("Claim", v1.ClaimRequest(worker="w", capacity=1), "queues"),
        ("Claim", v1.ClaimRequest(worker="w", queues=["a.b"], capacity=1), "queue"),
        ("Claim", v1.ClaimRequest(worker="w", queues=["q"]), "capacity"),
        ("Claim", v1.ClaimRequest(worker="w", queues=["q"], capacity=1, wait_us=61_000_000), "wait_us"),
        ("Withdraw", v1.WorkerName(), "id"),
        ("Heartbeat", v1.Heartbeat(), "worker.id"),
        ("Heartbeat", v1.Heartbeat(worker=v1.WorkerInfo(id="w", queues=["q"]), job_ids=[new_id()]), "job_ids"),
        ("Report", v1.JobResults(worker="w", results=[v1.JobResult(job_id="x", queue="q", type="t")]), "results.0"),
        ("Report", v1.JobResults(worker="w", results=[result_of(SPEC, 0, v1.OUTCOME_SUCCESS)]), "results.0"),
        ("Report", v1.JobResults(worker="w", results=[result_of(SPEC, 1, v1.OUTCOME_LEASE_LOST)]), "results.0"),
        ("Report", v1.JobResults(worker="w", progress=[v1.JobProgress(job_id="x")]), "progress"),
        (
            "Report",
            v1.JobResults(
                worker="w", results=[result_of(v1.JobSpec(id="x", queue="a.>", type="t"), 1, v1.OUTCOME_SUCCESS)]
            ),
            "queue",
        ),
    ],
)
async def test_wrong_requests_of_workers(door: Door, call: str, request_: Any, field: str) -> None:
    method = getattr(workers(door.channel), call)
    with refused(INVALID) as refusal:
        if call == "Claim":
            await anext(aiter(method(request_)))
        else:
            await method(request_)
    assert refusal.fields[0].startswith(field)


@contextlib.asynccontextmanager
async def example_worker(door: Door, queue: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """examples/grpc_worker.py as a process."""
    target = door.grpc_target
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        ROOT / "examples/grpc_worker.py",
        target,
        f"--queues={queue}",
        "--concurrency=4",
        "--grace=0.2",
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: asyncio.subprocess.Process, text: str) -> None:
    """Returns when the process has printed that line."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while (line := (await process.stdout.readline()).decode()) and line.strip() != text:
            pass
    assert line, f"it ended without {text!r}"


async def test_a_worker_of_another_kind_is_drained_and_taken_back(door: Door) -> None:
    service = workers(door.channel)

    async def listed() -> v1.WorkerInfo | None:
        found = (await service.ListWorkers(Empty())).workers
        return next((worker for worker in found if "aside" in worker.queues), None)

    async with example_worker(door, "aside") as process:
        name = v1.WorkerName(id=(await wait_until(listed, "it is listed")).id)
        drained = await service.DrainWorker(name)
        assert (drained.id, drained.draining, list(drained.queues)) == (name.id, True, ["aside"])
        waiting = await submit(door, queue="aside", payload=b'"later"')
        await said(process, "draining")
        assert (await jobs(door.channel).GetJob(v1.GetJobRequest(id=waiting))).state == v1.JOB_STATE_PENDING
        assert not (await service.ResumeWorker(name)).draining
        await said(process, "claiming again")
        assert (await ended(door, waiting)).result == b'"later"'


async def test_a_worker_of_another_kind_does_all_that_ours_does(door: Door) -> None:
    once = v1.RetryPolicy(max_retries=0)
    async with example_worker(door, "example") as process:
        echoed = await submit(door, queue="example", payload=b'{"a": 1}')
        failed = await submit(door, queue="example", type="divide", payload=b'{"a": 1, "b": 0}', retry=once)
        unknown = await submit(door, queue="example", type="fly")
        slow = await submit(
            door, queue="example", type="sleep", payload=b'{"seconds": 60}', timeout_us=100_000, retry=once
        )
        assert (await ended(door, echoed)).result == b'{"a": 1}'
        errors = [(await ended(door, job_id)).history.attempts[0].error for job_id in (failed, unknown, slow)]
        assert [error.type for error in errors] == ["ZeroDivisionError", "UnknownType", "Timeout"]

        cancelled = await submit(door, queue="example", type="sleep", payload=b'{"seconds": 60}')
        returned = await submit(door, queue="example", type="sleep", payload=b'{"seconds": 60}')
        for job_id in (cancelled, returned):
            await wait_until(partial(state_is, door, job_id, v1.JOB_STATE_RUNNING), "it runs")
        await jobs(door.channel).CancelJob(v1.JobId(id=cancelled))
        assert (await ended(door, cancelled)).state == v1.JOB_STATE_CANCELLED

        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    job = await jobs(door.channel).GetJob(v1.GetJobRequest(id=returned))
    await wait_until(partial(state_is, door, returned, v1.JOB_STATE_PENDING), "it is handed back")
    assert job.attempt == 1


async def state_is(door: Door, job_id: str, state: v1.JobState.ValueType) -> bool:
    return (await jobs(door.channel).GetJob(v1.GetJobRequest(id=job_id))).state == state
