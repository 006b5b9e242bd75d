"""What operators see of a worker, and tell it."""

import asyncio
from importlib.metadata import version as installed_version

import pytest

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.jobs.states import PENDING, RUNNING, SUCCESS
from gotask.sdk import App
from tests.services.worker.life import Life
from tests.support.waiting import wait_until

pytestmark = pytest.mark.parametrize("life", ["memory"], indirect=True)


async def listed(life: Life, worker_id: str) -> v1.WorkerInfo:
    """What lists of workers show of it."""

    async def look() -> v1.WorkerInfo | None:
        return next((worker for worker in await life.storage.list_workers(0) if worker.id == worker_id), None)

    worker: v1.WorkerInfo = await wait_until(look, f"{worker_id} is listed")
    return worker


async def tell(life: Life, subject: str, worker_id: str) -> v1.WorkerInfo:
    return await life.bus.request(subject, v1.WorkerName(id=worker_id), v1.WorkerInfo)


async def test_a_worker_drains_and_resumes_on_request(life: Life) -> None:
    app = App()
    release = asyncio.Event()

    @app.job("wait")
    async def wait() -> str:
        await release.wait()
        return "not disturbed"

    await life.start_worker(app, worker_id="my.worker")
    subjects = life.bus.subjects
    running = await life.submit("wait")
    await life.in_state(running, RUNNING)

    assert (await tell(life, subjects.drain("my.worker"), "my.worker")).draining
    assert (await listed(life, "my.worker")).draining
    waiting = await life.submit("wait")
    release.set()
    assert (await life.ended(running)).result == b'"not disturbed"'
    assert (await tell(life, subjects.drain("my.worker"), "my.worker")).running == 0
    assert (await life.in_state(waiting, PENDING)).attempt == 0

    assert not (await tell(life, subjects.resume("my.worker"), "my.worker")).draining
    assert (await life.ended(waiting)).state == SUCCESS
    assert not (await listed(life, "my.worker")).draining


async def test_a_worker_refuses_what_is_meant_for_another_and_does_not_resume_while_it_stops(life: Life) -> None:
    worker = await life.start_worker(App(), worker_id="my.worker")
    with pytest.raises(CommandError, match=r"this is worker 'my\.worker', not 'my_worker'") as refused:
        await tell(life, life.bus.subjects.drain("my_worker"), "my_worker")
    assert refused.value.code == Code.NOT_FOUND
    await worker.stop()
    with pytest.raises(CommandError, match=r"worker 'my\.worker' is stopping") as refused:
        await worker.resume()
    assert refused.value.code == Code.FAILED_PRECONDITION


async def test_a_worker_tells_its_version_and_the_oldest_of_what_it_runs(life: Life) -> None:
    app = App()
    release = asyncio.Event()

    @app.job("wait")
    async def wait() -> None:
        await release.wait()

    await life.start_worker(app, worker_id="w", concurrency=30)
    first = await life.submit("wait")
    await life.in_state(first, RUNNING)
    for _ in range(24):
        await life.submit("wait")

    async def all_run() -> v1.WorkerInfo | None:
        worker = await listed(life, "w")
        return worker if worker.running == 25 else None

    worker: v1.WorkerInfo = await wait_until(all_run, "all of them run")
    assert worker.version == installed_version("gotask")
    assert len(worker.runs) == 20
    assert (worker.runs[0].job_id, worker.runs[0].type, worker.runs[0].queue) == (first, "wait", "default")
    assert worker.runs[0].started_at_us > worker.started_at_us
    release.set()
    await wait_until(lambda: _idle(life), "its runs are over")


async def _idle(life: Life) -> bool:
    return not (await listed(life, "w")).runs
