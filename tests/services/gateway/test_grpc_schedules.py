"""gotask.v1.ScheduleService: the verbs of REST, in messages."""

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from gotask import v1
from gotask.storage.contract import Storage
from tests.services.gateway.grpc_support import refused, schedules
from tests.services.gateway.support import Door, scheduler
from tests.support.servers import Server


async def test_a_schedule_is_created_run_paused_replaced_and_deleted(
    door: Door, nats: Server, namespace: str, storage: Storage
) -> None:
    wanted = v1.Schedule(name="yearly", cron_expr="@yearly", job=v1.JobSpec(type="echo", payload=b"1"))
    async with scheduler(nats.address, namespace, storage):
        service = schedules(door.channel)
        made = await service.CreateSchedule(wanted)
        assert (made.timezone, made.job.queue, made.missed) == ("UTC", "default", v1.MISSED_POLICY_SKIP)
        assert made.next_fire_at_us > made.created_at_us
        with refused(grpc.StatusCode.ALREADY_EXISTS):
            await service.CreateSchedule(wanted)

        fired = await service.RunSchedule(v1.ScheduleId(id=made.id))
        assert (fired.fires[0].kind, bool(fired.fires[0].job_id)) == (v1.FIRE_KIND_MANUAL, True)
        assert (await service.PauseSchedule(v1.ScheduleId(id=made.id))).paused
        assert not (await service.ResumeSchedule(v1.ScheduleId(id=made.id))).paused

        wanted.id, wanted.cron_expr = made.id, "@daily"
        replaced = await service.UpdateSchedule(wanted)
        assert (replaced.cron_expr, len(replaced.fires)) == ("@daily", 1)
        assert [each.id for each in (await service.ListSchedules(Empty())).schedules] == [made.id]

        await service.DeleteSchedule(v1.ScheduleId(id=made.id))
        with refused(grpc.StatusCode.NOT_FOUND):
            await service.GetSchedule(v1.ScheduleId(id=made.id))


@pytest.mark.parametrize(
    ("field", "value"), [("cron_expr", "61 * * * *"), ("timezone", "Mars/Olympus"), ("name", "")], ids=str
)
async def test_a_wrong_field_is_named(door: Door, field: str, value: str) -> None:
    wanted = v1.Schedule(name="n", cron_expr="@daily", job=v1.JobSpec(type="echo"))
    setattr(wanted, field, value)
    with refused(grpc.StatusCode.INVALID_ARGUMENT) as refusal:
        await schedules(door.channel).CreateSchedule(wanted)
    assert refusal.fields == (field,)
