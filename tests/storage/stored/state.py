"""What a storage holds in the recordings, and what a later version must make of it."""

from typing import Any

from google.protobuf.json_format import MessageToDict

from gotask import v1
from gotask.jobs.states import CANCELLED, DEAD, EXPIRED, FAILED, RETRYING, RUNNING, SCHEDULED, SUCCESS
from gotask.storage.contract import (
    Claimed,
    FinishStatus,
    InsertStatus,
    JobFilter,
    ProgressUpdate,
    ScheduleChange,
    Storage,
)
from tests.storage.support import NOW, SECOND, STATES, add_queue, claim, end, get, insert, job, job_in, listed, start

NAMESPACE = "stored"
QUEUES = ("default", "limited")
LATER = NOW + 2 * SECOND
IDS = {state: f"019b0000-0000-7000-8000-{state:012d}" for state in STATES}
TOLD_TO_STOP = "019b0000-0000-7000-8000-000000000100"
FIRE = v1.Fire(at_us=NOW, job_id="019b0000-0000-7000-8000-000000000101", kind=v1.FIRE_KIND_TICK)
SCHEDULE = "019b0000-0000-7000-8000-000000000102"


async def fill(storage: Storage) -> None:
    """A job in every state, one that is to stop, two queues, and a schedule with a fire that is open."""
    await add_queue(storage, "default")
    await add_queue(storage, "limited", max_workers=3, rate_limit=2.5, priority=7, weight=4, lease_us=90 * SECOND)
    await storage.set_paused("limited", True, NOW)
    for state in STATES:
        if state not in (SUCCESS, RUNNING):
            await job_in(storage, state, **_fields(state))
    succeeded = await start(storage, job(priority=255, **_fields(SUCCESS)))
    await end(storage, succeeded, result=b"84")
    running = await start(storage, job(priority=255, **_fields(RUNNING)))
    progress = v1.Progress(percent=50, message="half", at_us=NOW).SerializeToString()
    await storage.set_progress([ProgressUpdate(running.job_id, running.attempt, progress)])
    await start(storage, job(id=TOLD_TO_STOP, priority=255))
    await storage.cancel([TOLD_TO_STOP], NOW)
    await _fill_schedule(storage)


def _fields(state: v1.JobState.ValueType) -> dict[str, Any]:
    return {
        "id": IDS[state],
        "payload": b'{"to": "caf\xc3\xa9"}',
        "idempotency_key": f"key {state}",
        "unique_key": f"unique {state}",
        "tags": ["mail", "caf\xe9"],
        "metadata": {"tenant": "7"},
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "retry": v1.RetryPolicy(max_retries=5, strategy=v1.RETRY_STRATEGY_LINEAR, delay_us=SECOND, jitter=0.5),
    }


async def _fill_schedule(storage: Storage) -> None:
    schedule = v1.Schedule(id=SCHEDULE, name="nightly", cron_expr="0 3 * * *", timezone="Europe/Berlin")
    schedule.job.CopyFrom(v1.JobSpec(type="echo", queue="default"))
    schedule.next_fire_at_us = NOW
    await storage.create_schedule(schedule)
    (schedule,) = await storage.take_schedules(NOW, NOW + SECOND, 1)
    schedule.next_fire_at_us = NOW + SECOND
    await storage.change_schedules([ScheduleChange(schedule, opens=[FIRE])], NOW)


async def read(storage: Storage) -> dict[str, Any]:
    """All that the storage tells of it."""
    ids = await listed(storage)
    return {
        "jobs": [MessageToDict(await get(storage, job_id)) for job_id in ids],
        "dead": await listed(storage, JobFilter(frozenset({DEAD}), "default", "echo", "mail")),
        "queues": [MessageToDict(queue) for queue in await storage.get_queues()],
        "stats": [MessageToDict(stats) for stats in await storage.queue_stats(QUEUES, NOW + SECOND)],
        "schedules": [MessageToDict(schedule) for schedule in await storage.list_schedules("", 9)],
    }


async def go_on(storage: Storage) -> None:
    """Takes every job to success, as if nothing had happened since; AssertionError where it does not go on."""
    await _check_keys(storage)
    held = await _held(storage)
    assert (await end(storage, held)).status == FinishStatus.APPLIED
    stopped = held._replace(job_id=TOLD_TO_STOP)
    assert (await end(storage, stopped, RETRYING, due_at_us=LATER)).state == CANCELLED
    assert all(change.changed for change in await storage.release([IDS[SCHEDULED], IDS[RETRYING]], LATER))
    again = [IDS[FAILED], IDS[DEAD], IDS[CANCELLED], IDS[EXPIRED], TOLD_TO_STOP]
    assert all(change.changed for change in await storage.retry(again, LATER))
    await _check_schedule(storage)
    waiting = await claim(storage, capacity=20, now=LATER)
    assert {each.job_id for each in waiting} == {*IDS.values(), TOLD_TO_STOP, FIRE.job_id} - {
        IDS[SUCCESS],
        IDS[RUNNING],
    }
    for claimed in waiting:
        assert (await end(storage, claimed, now=LATER)).status == FinishStatus.APPLIED
    assert len(await listed(storage, JobFilter(frozenset({SUCCESS})))) == len(IDS) + 2
    assert len((await get(storage, IDS[DEAD])).history.attempts) == 2


async def forget(storage: Storage) -> None:
    """Lets all that has ended go, when its retention is over."""
    long_after = LATER + 365 * 86_400 * SECOND
    assert await storage.prune(long_after, 100) == len(IDS) + 2
    assert await listed(storage) == []
    await insert(storage, job(idempotency_key=f"key {SUCCESS}"))
    assert len(await listed(storage)) == 1


async def _check_keys(storage: Storage) -> None:
    """Keys are held by whom they were held."""
    same = [job(idempotency_key=f"key {state}") for state in STATES]
    found = await storage.insert_jobs([*same, job(unique_key=f"unique {RUNNING}")], NOW)
    assert [each.status for each in found] == [InsertStatus.DUPLICATE] * len(found)
    assert [each.existing_id for each in found] == [*(IDS[state] for state in STATES), IDS[RUNNING]]


async def _held(storage: Storage) -> Claimed:
    """What the worker had in hand whose attempt runs."""
    running = await get(storage, IDS[RUNNING])
    return Claimed(running.spec.id, running.spec.queue, b"", running.attempt, 1, running.ready_at_us)


async def _check_schedule(storage: Storage) -> None:
    """The fire that was open gives its job once, and the next tick comes."""
    (open_fire,) = await storage.take_fires(LATER, SECOND, 5)
    assert open_fire.fire == FIRE
    spec = job(id=FIRE.job_id, schedule_id=SCHEDULE)
    statuses = [(await storage.insert_jobs([spec], LATER))[0].status for _ in range(2)]
    assert statuses == [InsertStatus.CREATED, InsertStatus.DUPLICATE]
    assert [each.id for each in await storage.take_schedules(LATER, LATER + SECOND, 5)] == [SCHEDULE]
