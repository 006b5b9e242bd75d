"""Schedules that fire: through refusals, overlaps, restarts and a queue-manager that is away."""

from gotask import v1
from gotask.jobs.fires import fire_with
from gotask.jobs.ids import new_id
from gotask.jobs.states import PENDING, RUNNING
from gotask.storage.contract import ScheduleChange, Share, Slot
from tests.services.scheduler.office import NEVER, SECONDLY, Office
from tests.storage.support import add_queue

SECOND = 1_000_000


async def _jobs(office: Office, schedule: v1.Schedule, count: int) -> list[v1.Job]:
    """The jobs of a schedule, once there are as many."""

    async def enough() -> bool:
        return len(await office.jobs_of(schedule.id)) >= count

    await office.until(f"{count} jobs are stored", enough)
    return await office.jobs_of(schedule.id)


async def test_every_tick_has_one_job_however_many_schedulers_there_are(office: Office) -> None:
    await office.start_queue_manager()
    for _ in range(3):
        await office.start_scheduler()
    # On a clock ten times as fast: long enough ahead to be created in time. A busy machine may find a tick missed: that
    # one counts, too.
    begin = office.clock.now_us() + 20 * SECOND
    schedule = await office.create(
        SECONDLY, starts_at_us=begin, ends_at_us=begin + 3 * SECOND, missed=v1.MISSED_POLICY_ALL
    )
    jobs = await _jobs(office, schedule, 3)
    ticks = [job.spec.scheduled_at_us for job in jobs]
    assert ticks == [ticks[0] - number * SECOND for number in range(3)]
    assert {tick % SECOND for tick in ticks} == {0}
    assert all(begin < tick <= begin + 3 * SECOND for tick in ticks)
    fired = await office.schedule(schedule.id)
    assert [fire.job_id for fire in fired.fires] == [job.spec.id for job in jobs]
    assert fired.next_fire_at_us == 0


async def test_schedules_survive_a_restart_of_everything(office: Office) -> None:
    manager, scheduler = await office.start_queue_manager(), await office.start_scheduler()
    schedule = await office.create(SECONDLY)
    before = len(await _jobs(office, schedule, 1))
    await office.stop(scheduler)
    await office.stop(manager)
    await office.start_scheduler()
    await office.start_queue_manager()
    jobs = await _jobs(office, schedule, before + 2)
    ticks = sorted(job.spec.scheduled_at_us for job in jobs)
    assert ticks == list(range(ticks[0], ticks[-1] + 1, SECOND))


async def test_a_job_that_waits_for_its_jitter_is_scheduled(office: Office) -> None:
    await office.start_queue_manager()
    await office.start_scheduler()
    schedule = await office.create(SECONDLY, jitter_us=3600 * SECOND)
    for job in await _jobs(office, schedule, 1):
        assert job.spec.scheduled_at_us > office.clock.now_us()


async def test_a_schedule_waits_for_its_last_job_when_it_must_not_overlap(office: Office) -> None:
    await office.start_queue_manager()
    await office.start_scheduler()
    schedule = await office.create(SECONDLY, overlap=v1.OVERLAP_POLICY_SKIP)
    (first,) = await _jobs(office, schedule, 1)

    async def passed_over() -> bool:
        fires = (await office.schedule(schedule.id)).fires
        return fires[0].kind == v1.FIRE_KIND_OVERLAPPED and fires[0].at_us > fires[0].since_us

    await office.until("two ticks were passed over", passed_over)
    assert [job.spec.id for job in await office.jobs_of(schedule.id)] == [first.spec.id]
    assert first.state == PENDING
    await office.storage.cancel([first.spec.id], office.clock.now_us())
    assert (await _jobs(office, schedule, 2))[-1].spec.id == first.spec.id


async def test_a_fire_whose_queue_is_full_says_so_and_is_tried_again(office: Office) -> None:
    await add_queue(office.storage, "small", max_length=1)
    await office.start_queue_manager()
    await office.start_scheduler()
    schedule = await office.create(NEVER, queue="small")
    stored, refused = new_id(), new_id()
    await office.command("run", v1.RunSchedule(id=schedule.id, job_id=stored))
    await _jobs(office, schedule, 1)
    await office.command("run", v1.RunSchedule(id=schedule.id, job_id=refused))

    async def told() -> bool:
        fire = fire_with(await office.schedule(schedule.id), refused)
        return fire is not None and fire.refusal == "queue 'small' is full"

    await office.until("the refusal is in the history", told)
    assert await office.storage.fires_open([stored, refused]) == [False, True]
    now = office.clock.now_us()
    claims = await office.storage.claim([Slot("w", 1, [Share("small", 1)])], now, now + 60 * SECOND)
    assert [job.job_id for job in claims.jobs[0]] == [stored]
    jobs = await _jobs(office, schedule, 2)
    assert {job.spec.id: job.state for job in jobs} == {stored: RUNNING, refused: PENDING}


async def test_a_fire_that_is_refused_until_it_counts_as_missed_is_given_up(office: Office) -> None:
    await office.start_queue_manager(create_queues=False)
    await office.start_scheduler(missed_after=0.001)
    schedule = await office.create(NEVER, queue="nowhere")
    job_id = new_id()
    await office.command("run", v1.RunSchedule(id=schedule.id, job_id=job_id))

    async def given_up() -> bool:
        fire = fire_with(await office.schedule(schedule.id), job_id)
        is_open = await office.storage.fires_open([job_id])
        return fire is not None and "does not exist" in fire.refusal and is_open == [False]

    await office.until("the fire is given up", given_up)
    assert await office.jobs_of(schedule.id) == []


async def test_a_fire_that_was_decided_and_never_submitted_is_submitted_by_another(office: Office) -> None:
    schedule = v1.Schedule(
        id=new_id(), name="s", cron_expr=NEVER, timezone="UTC", job=v1.JobSpec(type="echo", queue="default")
    )
    await office.storage.create_schedule(schedule)
    fire = v1.Fire(at_us=office.clock.now_us(), job_id=new_id(), kind=v1.FIRE_KIND_MANUAL)
    await office.storage.change_schedules([ScheduleChange(schedule, [fire])], office.clock.now_us())
    await office.start_queue_manager()
    await office.start_scheduler()
    assert [job.spec.id for job in await _jobs(office, schedule, 1)] == [fire.job_id]


async def test_fires_wait_for_a_queue_manager_that_is_away(office: Office) -> None:
    await office.start_scheduler()
    schedule = await office.create(SECONDLY)

    async def fired() -> bool:
        return len((await office.schedule(schedule.id)).fires) >= 2

    await office.until("two fires were decided", fired)
    await office.start_queue_manager()
    jobs = await _jobs(office, schedule, 2)
    assert len({job.spec.scheduled_at_us for job in jobs}) == len(jobs)
