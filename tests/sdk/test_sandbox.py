"""How users test their handlers: no servers, no waiting."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from gotask.sdk import App, JobContext, Middleware, NewJob, NoRetry, Retry, SyncClient
from gotask.sdk.client.job import Job
from gotask.sdk.errors import (
    AlreadyExists,
    InvalidArgument,
    JobFailed,
    NotFound,
    QueueFull,
    Refused,
    SubmitFailed,
    WaitTimeout,
)
from gotask.sdk.testing import Sandbox, SyncSandbox


class Image(BaseModel):
    url: str
    width: int


class Recorder(Middleware):
    def __init__(self) -> None:
        self.told: list[str] = []

    def before_job(self, context: JobContext) -> None:
        self.told.append(f"before {context.type}")

    def on_failure(self, context: JobContext, error: BaseException) -> None:
        self.told.append(f"failed {context.type}: {error}")


recorder = Recorder()
app = App(middleware=[recorder])
mails = App()


@app.job("image.resize", queue="images", max_retries=2, retry_delay="10s", retry_strategy="fixed")
async def resize(url: str, width: int) -> Image:
    if width > 1000:
        raise ValueError(f"{width} is too wide")
    return Image(url=url, width=width)


@mails.job("mail.send")
def send(to: str) -> str:
    return f"sent to {to}"


@mails.job("mail.all")
async def send_to_all(addresses: list[str]) -> list[str]:
    handles = [await send.submit(to=address) for address in addresses]
    return [await handle.result() for handle in handles]


app.include(mails)


async def test_a_job_runs_when_it_is_told_to() -> None:
    async with Sandbox(app) as sandbox:
        job = await resize.submit(url="u", width=300)
        assert (await job.get()).status == "pending"
        assert await sandbox.run() == 1
        assert await job.result() == Image(url="u", width=300)
        assert (await sandbox.client.list(queue="images")).items[0].id == job.id


async def test_eager_jobs_have_run_when_they_are_submitted() -> None:
    async with Sandbox(app, eager=True):
        job = await resize.submit(url="u", width=300)
        assert (await job.result()).width == 300


async def test_what_a_job_raises_is_seen_by_who_waits_for_it() -> None:
    async with Sandbox(app) as sandbox:
        job = await resize.options(max_retries=0).submit(url="u", width=2000)
        await sandbox.run()
        with pytest.raises(JobFailed, match="ended dead: ValueError: 2000 is too wide") as failure:
            await job.result()
        assert failure.value.job.error is not None
        assert "raise ValueError" in failure.value.job.error.traceback
        assert recorder.told[-2:] == ["before image.resize", "failed image.resize: 2000 is too wide"]


async def test_retries_wait_for_the_clock() -> None:
    async with Sandbox(app) as sandbox:
        job = await resize.submit(url="u", width=2000)
        await sandbox.run()
        waiting = await job.get()
        assert (waiting.status, waiting.attempts) == ("retrying", 1)
        assert waiting.due_at == sandbox.now + timedelta(seconds=10)
        assert await sandbox.advance("9s") == 0
        assert await sandbox.advance("1s") == 1
        assert await sandbox.drain() == 1
        assert [attempt.outcome for attempt in (await job.get()).history] == ["failure"] * 3
        assert [event.kind for event in sandbox.events] == [
            "created",
            *["started", "retrying", "released"] * 2,
            "started",
            "dead",
        ]


async def test_the_clock_begins_where_the_test_says_and_stands_still() -> None:
    began = datetime(2031, 5, 1, 12, tzinfo=UTC)
    async with Sandbox(app, now=began) as sandbox:
        job = await resize.options(delay="1h").submit(url="u", width=1)
        expiring = await resize.options(delay="2h", ttl="30m").submit(url="u", width=1)
        assert (await job.get()).scheduled_at == began + timedelta(hours=1)
        await sandbox.advance(timedelta(minutes=59))
        assert ((await job.get()).status, (await expiring.get()).status) == ("scheduled", "expired")
        await sandbox.advance("1m")
        assert (await job.get()).finished_at == sandbox.now == began + timedelta(hours=1)


async def test_handlers_submit_jobs_and_wait_for_them() -> None:
    async with Sandbox(app) as sandbox:
        job = await send_to_all.submit(addresses=["ada", "bob"])
        await sandbox.run()
        assert await job.result() == ["sent to ada", "sent to bob"]


async def test_nothing_is_waited_for_that_cannot_come() -> None:
    async with Sandbox(app):
        job = await resize.submit(url="u", width=1)
        with pytest.raises(WaitTimeout, match=r"is pending: in a sandbox nothing runs but by run\(\)"):
            await job.result()


async def test_wrong_arguments_and_payloads_are_refused_as_in_production() -> None:
    async with Sandbox(app) as sandbox:
        with pytest.raises(InvalidArgument, match=r"payload\.width: "):
            await resize.submit(url="u", width="wide")  # type: ignore[call-overload]
        wrong = await sandbox.client.submit("image.resize", {"url": "u", "width": "wide"})
        unknown = await sandbox.client.submit("image.rotate")
        await sandbox.run()
        with pytest.raises(JobFailed, match=r"InvalidPayload: payload\.width: "):
            await wrong.result()
        with pytest.raises(JobFailed, match=r"UnknownType: the app has no handler for 'image\.rotate'; it has image"):
            await unknown.result()


async def test_priorities_limits_and_keys_count() -> None:
    order = App()
    ran: list[int] = []

    @order.job("note")
    async def note(number: int) -> None:
        ran.append(number)

    async with Sandbox(order) as sandbox:
        await sandbox.client.queues.create("small", max_length=1)
        for number, priority in ((1, 1), (2, 9), (3, 1)):
            await note.options(priority=priority).submit(number=number)
        await sandbox.run()
        assert ran == [2, 1, 3]
        first = await note.options(unique_key="k", delay="1h").submit(number=4)
        again = await note.options(unique_key="k").submit(number=5)
        assert (again.id, again.submission) == (first.id, "existed")
        await note.options(queue="small").submit(number=6)
        with pytest.raises(QueueFull):
            await note.options(queue="small").submit(number=7)
        with pytest.raises(SubmitFailed):
            await sandbox.client.submit_many([note.options(queue="small").job(number=8), NewJob("note")])


async def test_what_handlers_say_counts() -> None:
    sayings = App()

    @sayings.job("say")
    async def say(context: JobContext, what: str) -> None:
        context.progress(50, what)
        if what == "later" and context.attempt == 1:
            raise Retry(after="5m")
        if what == "never":
            raise NoRetry("no use")

    async with Sandbox(sayings) as sandbox:
        later = await say.submit(what="later")
        never = await say.submit(what="never")
        await sandbox.run()
        assert (await later.get()).due_at == sandbox.now + timedelta(minutes=5)
        assert (await never.get()).status == "dead"
        await sandbox.advance("5m")
        done = await later.get()
        assert (done.status, done.attempts) == ("success", 2)
        assert done.progress is not None
        assert (done.progress.percent, done.progress.message) == (50, "later")
        told: list[Any] = [each async for each in later.watch()]
        assert isinstance(told[-1], Job)
        assert "progress" in [each.kind for each in told[:-1]]


async def test_running_jobs_are_cancelled_and_time_out() -> None:
    slow = App()

    @slow.job("cancel.me")
    async def cancel_me(context: JobContext) -> None:
        await slow.client.cancel(context.job_id)
        await asyncio.sleep(60)

    @slow.job("sleep", timeout="20ms", max_retries=0)
    async def sleep() -> None:
        await asyncio.sleep(60)

    async with Sandbox(slow) as sandbox:
        cancelled, late = await cancel_me.submit(), await sleep.submit()
        await sandbox.run()
        assert (await cancelled.get()).status == "cancelled"
        with pytest.raises(JobFailed, match="Timeout: the attempt took longer than 20ms"):
            await late.result()


async def test_jobs_and_queues_are_changed_as_in_production() -> None:
    async with Sandbox(app) as sandbox:
        client = sandbox.client
        job = await resize.submit(url="u", width=1)
        assert (await job.cancel()).status == "cancelled"
        with pytest.raises(Refused, match="is cancelled already"):
            await job.cancel()
        assert (await job.retry()).status == "pending"
        assert (await client.queues.pause("images")).paused
        assert await sandbox.run() == 0
        await client.queues.resume("images")
        assert (await client.queues.stats("images")).pending_jobs == 1
        assert await sandbox.run() == 1
        await job.delete()
        with pytest.raises(NotFound):
            await job.get()
        with pytest.raises(AlreadyExists):
            await client.queues.create("images")
        assert (await client.queues.update("images", max_workers=2)).max_workers == 2
        await client.queues.delete("images")
        assert [queue.name for queue in await client.queues.list()] == []
        assert await client.workers.list() == []
        for call in (client.workers.get, client.workers.drain, client.workers.resume):
            with pytest.raises(NotFound, match="no worker 'x' was heard of lately"):
                await call("x")


async def test_the_app_has_its_own_client_again_afterwards() -> None:
    async with Sandbox(app) as outer:
        async with Sandbox(app) as inner:
            assert app.client is mails.client is inner.client
        assert app.client is mails.client is outer.client


def signup(queue: SyncClient, address: str) -> str:
    """Code that is tested: it knows nothing of the sandbox."""
    return queue.submit(send.job(to=address)).id


def test_code_without_an_event_loop() -> None:
    with SyncSandbox(app) as sandbox:
        mail = signup(sandbox.client, "ada@example.org")
        assert sandbox.run() == 1
        assert sandbox.client.result(mail) == "sent to ada@example.org"
        handle = sandbox.client.submit(resize.options(delay="1m").job(url="u", width=2))
        assert sandbox.advance("1m") == 1
        assert handle.result().width == 2
        assert sandbox.drain() == 0
        assert [event.kind for event in sandbox.events if event.job_id == mail] == ["created", "started", "succeeded"]
