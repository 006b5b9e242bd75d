"""What becomes of a schedule: its ticks, its commands, its jobs."""

from typing import Any

import pytest

from gotask import v1
from gotask.jobs.fires import KEPT, fire_with, last_job, remember
from gotask.jobs.ids import is_id, new_id
from gotask.jobs.schedule_commands import created, paused, redefined, resumed, run_now
from gotask.jobs.schedule_visit import MAX_FIRED, Visit, visit
from gotask.jobs.schedules import check_schedule, coming_fires, fire_of_tick, jitter_of, job_of_fire
from gotask.jobs.validation import InvalidJob

pytestmark = pytest.mark.unit

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NOW = 1_800_000_000_000_000 - 1_800_000_000_000_000 % HOUR
GRACE = 60 * SECOND
MISSED = {"skip": v1.MISSED_POLICY_SKIP, "one": v1.MISSED_POLICY_ONE, "all": v1.MISSED_POLICY_ALL}


def wanted(cron_expr: str = "*/15 * * * *", **fields: Any) -> v1.Schedule:
    job = v1.JobSpec(type="echo", queue="default", priority=1, payload=b"{}")
    defaults: dict[str, Any] = {"id": new_id(), "name": "test", "timezone": "UTC", "job": job}
    return v1.Schedule(**{**defaults, "cron_expr": cron_expr, "created_at_us": NOW, **fields})


def schedule_of(cron_expr: str = "*/15 * * * *", **fields: Any) -> v1.Schedule:
    return created(wanted(cron_expr, **fields), NOW)


def at(schedule: v1.Schedule, now_us: int, *, overlapping: bool = False) -> Visit:
    return visit(schedule, now_us, overlapping=overlapping, missed_after_us=GRACE)


def fired(found: Visit) -> list[int]:
    """When the fires were due, counted from NOW."""
    return [fire.at_us - NOW for fire in found.fires]


def without_job(schedule: v1.Schedule) -> list[tuple[v1.FireKind.ValueType, int, int]]:
    return [(fire.kind, fire.since_us - NOW, fire.at_us - NOW) for fire in schedule.fires if not fire.job_id]


def test_a_new_schedule_fires_at_its_next_tick() -> None:
    schedule = schedule_of()
    assert schedule.next_fire_at_us == NOW + 15 * MINUTE
    assert (schedule.missed, schedule.overlap) == (v1.MISSED_POLICY_SKIP, v1.OVERLAP_POLICY_ALLOW)


def test_a_tick_fires_and_the_next_one_follows() -> None:
    schedule = schedule_of()
    found = at(schedule, NOW + 15 * MINUTE + 3)
    assert fired(found) == [15 * MINUTE]
    assert found.schedule.next_fire_at_us == NOW + 30 * MINUTE
    assert list(found.schedule.fires) == found.fires
    assert schedule == schedule_of(id=schedule.id)


def test_ticks_that_are_a_little_late_fire_one_by_one_whatever_the_policy() -> None:
    for policy in MISSED.values():
        found = at(schedule_of("*/10 * * * * *", missed=policy), NOW + 45 * SECOND)
        assert fired(found) == [10 * SECOND, 20 * SECOND, 30 * SECOND, 40 * SECOND]
        assert [fire.at_us - NOW for fire in found.schedule.fires] == fired(found)[::-1]
        assert found.schedule.next_fire_at_us == NOW + 50 * SECOND


@pytest.mark.parametrize(
    ("policy", "expected", "let_go"),
    [("skip", [], (15, 120)), ("one", [120], (15, 105)), ("all", [15, 30, 45, 60, 75, 90, 105, 120], None)],
)
def test_missed_ticks_are_treated_as_the_policy_says(
    policy: str, expected: list[int], let_go: tuple[int, int] | None
) -> None:
    found = at(schedule_of(missed=MISSED[policy]), NOW + 130 * MINUTE)
    assert fired(found) == [minutes * MINUTE for minutes in expected]
    passed = [(v1.FIRE_KIND_MISSED, let_go[0] * MINUTE, let_go[1] * MINUTE)] if let_go else []
    assert without_job(found.schedule) == passed
    assert found.schedule.next_fire_at_us == NOW + 135 * MINUTE


def test_one_makes_up_for_missed_ticks_only_when_nothing_else_fires() -> None:
    for policy in ("skip", "one"):
        found = at(schedule_of(missed=MISSED[policy]), NOW + 120 * MINUTE + 1)
        assert fired(found) == [120 * MINUTE]
        assert without_job(found.schedule) == [(v1.FIRE_KIND_MISSED, 15 * MINUTE, 105 * MINUTE)]


def test_all_makes_up_for_a_bounded_number() -> None:
    found = at(schedule_of("* * * * * *", missed=v1.MISSED_POLICY_ALL), NOW + HOUR)
    assert fired(found) == [number * SECOND for number in range(3600 - MAX_FIRED + 1, 3601)]
    assert len(found.schedule.fires) == KEPT
    assert found.schedule.next_fire_at_us == NOW + HOUR + SECOND


def test_a_tick_that_time_zone_data_have_moved_fires_at_its_new_time() -> None:
    for policy in MISSED.values():
        schedule = schedule_of(missed=policy)
        schedule.next_fire_at_us = NOW + 2 * MINUTE
        found = at(schedule, NOW + 10 * MINUTE)
        assert (fired(found), found.schedule.next_fire_at_us) == ([], NOW + 15 * MINUTE)


def test_ticks_end_with_the_schedule() -> None:
    schedule = schedule_of(starts_at_us=NOW + 20 * MINUTE, ends_at_us=NOW + 45 * MINUTE)
    assert schedule.next_fire_at_us == NOW + 30 * MINUTE
    schedule = at(schedule, NOW + 30 * MINUTE).schedule
    last = at(schedule, NOW + 45 * MINUTE)
    assert (fired(last), last.schedule.next_fire_at_us) == ([45 * MINUTE], 0)


def test_an_interval_counts_from_the_start_or_else_the_creation() -> None:
    assert schedule_of("@every 90s").next_fire_at_us == NOW + 90 * SECOND
    schedule = schedule_of("@every 90s", starts_at_us=NOW + 7)
    assert schedule.next_fire_at_us == NOW + 7
    assert at(schedule, NOW + 7).schedule.next_fire_at_us == NOW + 7 + 90 * SECOND
    assert schedule_of("@every 90s", starts_at_us=NOW - 7).next_fire_at_us == NOW - 7 + 90 * SECOND


def test_an_overlapping_tick_does_not_fire() -> None:
    schedule = schedule_of("* * * * *", overlap=v1.OVERLAP_POLICY_SKIP)
    schedule = at(schedule, NOW + MINUTE).schedule
    job = last_job(schedule)
    for minute in (2, 3, 4):
        found = at(schedule, NOW + minute * MINUTE, overlapping=True)
        assert found.fires == []
        schedule = found.schedule
    assert last_job(schedule) == job
    assert without_job(schedule) == [(v1.FIRE_KIND_OVERLAPPED, 2 * MINUTE, 4 * MINUTE)]
    assert len(schedule.fires) == 2
    assert fired(at(schedule, NOW + 5 * MINUTE)) == [5 * MINUTE]


def test_of_several_ticks_that_must_not_overlap_the_last_one_fires() -> None:
    found = at(schedule_of("*/10 * * * * *", overlap=v1.OVERLAP_POLICY_SKIP), NOW + 45 * SECOND)
    assert fired(found) == [40 * SECOND]
    assert without_job(found.schedule) == [(v1.FIRE_KIND_OVERLAPPED, 10 * SECOND, 30 * SECOND)]


def test_overlaps_are_allowed_by_default() -> None:
    assert fired(at(schedule_of(), NOW + 15 * MINUTE, overlapping=True)) == [15 * MINUTE]


def test_a_fire_has_the_same_job_whoever_decides_it() -> None:
    schedule = schedule_of(jitter_us=10 * SECOND)
    one, other = at(schedule, NOW + 15 * MINUTE), at(schedule, NOW + 15 * MINUTE + 5)
    assert one.fires == other.fires
    assert is_id(one.fires[0].job_id)
    assert fire_of_tick(schedule, 7).job_id != fire_of_tick(schedule, 8).job_id
    assert fire_of_tick(schedule, 7).job_id != fire_of_tick(schedule_of(), 7).job_id


def test_a_job_shows_its_fire() -> None:
    schedule = schedule_of(ttl_us=5 * MINUTE)
    tick = NOW + 15 * MINUTE
    spec = job_of_fire(schedule, fire_of_tick(schedule, tick), tick + 9)
    assert (spec.type, spec.payload, spec.schedule_id) == ("echo", b"{}", schedule.id)
    assert (spec.created_at_us, spec.scheduled_at_us, spec.expires_at_us) == (tick + 9, tick, tick + 9 + 5 * MINUTE)
    assert schedule.job.id == ""


def test_jitter_is_spread_over_its_width_and_shown_beforehand() -> None:
    schedule = schedule_of(jitter_us=10 * MINUTE)
    waits = [jitter_of(schedule, tick * MINUTE) for tick in range(1_000)]
    assert 0 <= min(waits) < MINUTE
    assert 9 * MINUTE < max(waits) <= 10 * MINUTE
    assert len(set(waits)) > 990
    (fire,) = at(schedule, NOW + 15 * MINUTE).fires
    assert job_of_fire(schedule, fire, NOW).scheduled_at_us == coming_fires(schedule, 1)[0]
    assert jitter_of(schedule_of(), NOW) == 0


def test_coming_fires_are_shown() -> None:
    schedule = schedule_of(ends_at_us=NOW + 40 * MINUTE)
    assert coming_fires(schedule, 5) == [NOW + 15 * MINUTE, NOW + 30 * MINUTE]
    assert len(coming_fires(schedule_of(), 5)) == 5
    assert coming_fires(paused(schedule, NOW), 5) == []


def test_a_paused_schedule_lets_go_what_comes_meanwhile() -> None:
    later = NOW + 40 * MINUTE
    schedule = resumed(paused(schedule_of(), NOW + 1), later)
    assert (schedule.paused, schedule.next_fire_at_us, schedule.updated_at_us) == (False, NOW + 45 * MINUTE, later)


def test_a_paused_schedule_makes_up_if_its_policy_says_so() -> None:
    for policy, expected in (("one", [30]), ("all", [15, 30])):
        schedule = resumed(paused(schedule_of(missed=MISSED[policy]), NOW + 1), NOW + 40 * MINUTE)
        assert fired(at(schedule, NOW + 40 * MINUTE)) == [minutes * MINUTE for minutes in expected]


def test_pausing_and_resuming_again_changes_nothing() -> None:
    schedule = schedule_of()
    assert resumed(schedule, NOW + HOUR) is schedule
    stopped = paused(schedule, NOW)
    assert paused(stopped, NOW + HOUR) is stopped


def test_a_new_definition_keeps_the_past() -> None:
    schedule = paused(at(schedule_of(), NOW + 15 * MINUTE).schedule, NOW + 16 * MINUTE)
    change = wanted("0 * * * *", id=schedule.id, name="other", jitter_us=7)
    found = redefined(schedule, change, NOW + 20 * MINUTE)
    assert (found.name, found.jitter_us, found.next_fire_at_us) == ("other", 7, NOW + HOUR)
    assert (found.fires, found.created_at_us, found.paused) == (schedule.fires, NOW, True)


def test_a_new_definition_with_the_same_ticks_loses_none_that_has_come() -> None:
    schedule = schedule_of()
    found = redefined(schedule, wanted(id=schedule.id, jitter_us=7), NOW + 15 * MINUTE + 1)
    assert fired(at(found, NOW + 15 * MINUTE + 2)) == [15 * MINUTE]


def test_no_tick_fires_twice_when_a_clock_is_behind() -> None:
    schedule = at(schedule_of("* * * * *"), NOW + MINUTE).schedule
    behind = NOW + MINUTE - SECOND
    assert redefined(schedule, wanted("*/2 * * * *", id=schedule.id), behind).next_fire_at_us == NOW + 2 * MINUTE
    assert redefined(schedule, wanted("*/1 * * * *", id=schedule.id), behind).next_fire_at_us == NOW + 2 * MINUTE
    assert resumed(paused(schedule, behind), behind).next_fire_at_us == NOW + 2 * MINUTE


def test_a_run_by_hand_is_a_fire_besides_the_ticks() -> None:
    schedule = paused(schedule_of(jitter_us=MINUTE), NOW)
    job_id = new_id()
    found, fire = run_now(schedule, job_id, NOW + 7)
    assert (fire.kind, fire.job_id, fire.at_us) == (v1.FIRE_KIND_MANUAL, job_id, NOW + 7)
    assert (fire_with(found, job_id), fire_with(schedule, job_id)) == (fire, None)
    assert found.next_fire_at_us == schedule.next_fire_at_us
    assert job_of_fire(found, fire, NOW + 8).scheduled_at_us == NOW + 7


def test_the_last_fires_are_kept_newest_first() -> None:
    schedule = v1.Schedule()
    for number in range(KEPT + 3):
        remember(schedule, v1.Fire(at_us=number, job_id=f"j{number}"))
    assert [fire.at_us for fire in schedule.fires] == list(range(KEPT + 2, 2, -1))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": "7"}, "id"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"cron_expr": "nonsense"}, "cron_expr"),
        ({"timezone": "Mars"}, "timezone"),
        ({"timezone": "x" * 65}, "timezone"),
        ({"starts_at_us": NOW + 2, "ends_at_us": NOW + 1}, "ends_at"),
        ({"ends_at_us": NOW + 1}, "ends_at"),
        ({"jitter_us": 25 * HOUR}, "jitter"),
        ({"ttl_us": 1 << 60}, "ttl"),
        ({"missed": 9}, "missed"),
        ({"overlap": 9}, "overlap"),
        ({"job": v1.JobSpec(type="?", queue="default")}, "job_type"),
        ({"job": v1.JobSpec(type="echo", queue="no queue")}, "queue"),
        ({"job": v1.JobSpec(type="echo", queue="q", payload=b"{")}, "payload"),
        ({"job": v1.JobSpec(type="echo", queue="q", idempotency_key="k")}, "idempotency_key"),
    ],
)
def test_a_wrong_schedule_is_told_which_field_is_wrong(fields: dict[str, Any], field: str) -> None:
    check_schedule(wanted())
    with pytest.raises(InvalidJob) as error:
        check_schedule(wanted(**fields))
    assert error.value.field == field
