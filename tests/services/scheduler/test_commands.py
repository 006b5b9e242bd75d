"""Commands about schedules, on the bus; each may be repeated."""

import pytest

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.jobs.ids import new_id
from tests.services.scheduler.office import NEVER, Office, wanted


@pytest.fixture
async def office(office: Office) -> Office:
    await office.start_scheduler()
    return office


async def refusal(office: Office, verb: str, request: object) -> CommandError:
    with pytest.raises(CommandError) as error:
        await office.command(verb, request)
    return error.value


async def test_a_schedule_that_is_created_again_is_the_same(office: Office) -> None:
    request = wanted(NEVER)
    first = await office.command("create", request)
    assert (first.next_fire_at_us > first.created_at_us > 0, first.missed) == (True, v1.MISSED_POLICY_SKIP)
    assert await office.command("create", request) == first
    assert await office.schedule(first.id) == first


async def test_a_name_is_given_once(office: Office) -> None:
    await office.create(name="one")
    error = await refusal(office, "create", wanted(name="one"))
    assert (error.code, error.field) == (Code.ALREADY_EXISTS, "name")
    other = await office.create(name="other")
    error = await refusal(office, "update", wanted(id=other.id, name="one"))
    assert (error.code, error.field) == (Code.ALREADY_EXISTS, "name")


async def test_a_wrong_schedule_is_refused_with_the_field(office: Office) -> None:
    schedule = await office.create()
    for verb in ("create", "update"):
        for fields, field in (
            ({"cron_expr": "61 * * * *"}, "cron_expr"),
            ({"timezone": "Mars"}, "timezone"),
            ({"queue": "no queue"}, "queue"),
        ):
            error = await refusal(office, verb, wanted(**{"id": schedule.id, **fields}))
            assert (error.code, error.field) == (Code.INVALID_ARGUMENT, field)
    error = await refusal(office, "create", wanted(id="7"))
    assert (error.code, error.field) == (Code.INVALID_ARGUMENT, "id")


async def test_an_update_and_its_repeat_keep_what_is_not_defined_by_it(office: Office) -> None:
    created = await office.create()
    await office.command("pause", v1.ScheduleId(id=created.id))
    request = wanted("@monthly", id=created.id, name="renamed", jitter_us=5)
    for _ in range(2):
        updated = await office.command("update", request)
        assert (updated.name, updated.jitter_us, updated.cron_expr) == ("renamed", 5, "@monthly")
        assert (updated.created_at_us, updated.paused) == (created.created_at_us, True)
    assert (await office.schedule(created.id)).name == "renamed"


async def test_pausing_resuming_and_deleting_twice_is_once(office: Office) -> None:
    request = v1.ScheduleId(id=(await office.create()).id)
    for verb, paused in (("pause", True), ("resume", False)):
        first = await office.command(verb, request)
        assert first.paused is paused
        assert (await office.command(verb, request)).revision in (first.revision, first.revision + 1)
    for _ in range(2):
        assert await office.command("delete", request, v1.ScheduleId) == request
    assert await office.storage.get_schedules([request.id]) == []


async def test_what_does_not_exist_is_not_found(office: Office) -> None:
    unknown = new_id()
    for verb, request in (
        ("update", wanted(id=unknown)),
        ("pause", v1.ScheduleId(id=unknown)),
        ("resume", v1.ScheduleId(id=unknown)),
        ("run", v1.RunSchedule(id=unknown, job_id=new_id())),
    ):
        error = await refusal(office, verb, request)
        assert (error.code, error.field) == (Code.NOT_FOUND, "id")


async def test_a_run_that_is_asked_for_twice_is_one_fire(office: Office) -> None:
    await office.start_queue_manager()
    schedule = await office.create()
    request = v1.RunSchedule(id=schedule.id, job_id=new_id())
    for _ in range(2):
        (fire,) = (await office.command("run", request)).fires
        assert (fire.job_id, fire.kind) == (request.job_id, v1.FIRE_KIND_MANUAL)

    async def stored() -> bool:
        return [job.spec.id for job in await office.jobs_of(schedule.id)] == [request.job_id]

    await office.until("the job is stored", stored)
    error = await refusal(office, "run", v1.RunSchedule(id=schedule.id, job_id="7"))
    assert (error.code, error.field) == (Code.INVALID_ARGUMENT, "job_id")
