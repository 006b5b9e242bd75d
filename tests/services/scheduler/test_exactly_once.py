"""One job per fire, over a year of changing clocks, with schedulers that crash between any two steps."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from gotask import v1
from gotask.jobs.ids import IdMaker
from gotask.jobs.schedule_commands import created
from gotask.jobs.schedules import fire_of_tick
from gotask.jobs.ticks import last_ticks, next_tick_of
from gotask.storage.contract import Storage
from tests.services.scheduler.world import MISSED_AFTER_US, SECOND, World

HOUR = 3600 * SECOND
BEGIN = round(datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp()) * SECOND
END = BEGIN + 365 * 24 * HOUR
ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"]
DAILY = ["30 2 * * *", "30 1 * * *"]
WEEKLY = ["*/30 1-2 * * 0", "20 * * * 0"]


async def test_a_year_of_four_zones_has_every_fire_once(storage: Storage) -> None:
    schedules = await _create_schedules(storage)
    world = World(storage, BEGIN, seed=1)
    while world.clock.true_us < END:
        await world.turn(crash_share=0.03)
        if world.chance.random() < 0.7:
            await world.deliver(repeat_share=0.2)
            await world.run_and_forget_jobs()
        await _move(world)
    world.clock.true_us = END + 2 * HOUR
    await _settle(world)

    assert world.crashes > 100
    assert world.submitted > len(world.created)
    assert set(world.created.values()) == {1}
    expected: dict[str, tuple[v1.Schedule, int]] = {}
    for schedule in schedules:
        next_tick = next_tick_of(schedule.cron_expr, schedule.timezone, BEGIN)
        ticks = last_ticks(next_tick, BEGIN, END, 10_000)
        expected |= {fire_of_tick(schedule, tick).job_id: (schedule, tick) for tick in ticks}
    assert world.created.keys() == expected.keys()
    _check_daily([expected[job_id] for job_id in world.created])
    for schedule in await storage.get_schedules([one.id for one in schedules]):
        newest = [fire.job_id for fire in schedule.fires]
        assert newest == sorted((job for job, (of, _) in expected.items() if of.id == schedule.id), reverse=True)[:20]


async def _create_schedules(storage: Storage) -> list[v1.Schedule]:
    """They make up for all ticks that are missed, so that each of them is expected."""
    ids = IdMaker()
    schedules = []
    for zone in ZONES:
        for expression in DAILY + WEEKLY:
            wanted = v1.Schedule(
                id=ids.make(BEGIN),
                name=f"{zone} {expression}",
                cron_expr=expression,
                timezone=zone,
                job=v1.JobSpec(type="echo", queue="default", priority=1),
                missed=v1.MISSED_POLICY_ALL,
                ends_at_us=END,
            )
            schedules.append(created(wanted, BEGIN))
            assert await storage.create_schedule(schedules[-1])
    return schedules


async def _move(world: World) -> None:
    """To the next fire or some hours beyond it; sometimes only a little, so that what was taken is still taken."""
    if world.chance.random() < 0.2:
        world.clock.true_us += world.chance.randrange(3 * SECOND)
        return
    next_us = await world.storage.next_fire() or END
    world.clock.true_us = max(world.clock.true_us, next_us) + world.chance.choice((0, SECOND, 12 * HOUR, 36 * HOUR))


async def _settle(world: World) -> None:
    """Everybody stays alive until all is done."""
    while await world.storage.next_fire() is not None:
        await world.turn(crash_share=0)
        await world.deliver()
        world.clock.true_us += MISSED_AFTER_US


def _check_daily(fires: list[tuple[v1.Schedule, int]]) -> None:
    days = Counter(
        (schedule.name, datetime.fromtimestamp(tick / 1e6, ZoneInfo(schedule.timezone)).date())
        for schedule, tick in fires
        if schedule.cron_expr in DAILY
    )
    assert set(days.values()) == {1}
    per_schedule = Counter(name for name, _ in days)
    assert len(per_schedule) == len(ZONES) * len(DAILY)
    assert set(per_schedule.values()) <= {364, 365, 366}
