"""The schedules of the memory backend."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from gotask import v1
from gotask.storage.contract import OpenFire, ScheduleChange, ScheduleStatus
from gotask.storage.memory.ordered import Ordered


class Schedules:
    """The schedules by id and name, when each may be taken, and the fires that are open."""

    def __init__(self) -> None:
        self._by_id: dict[str, v1.Schedule] = {}
        self._id_of: dict[bytes, str] = {}
        self._names: list[bytes] = []
        self._due = Ordered()
        self._open: dict[str, OpenFire] = {}
        self._offers = Ordered()

    def create(self, schedule: v1.Schedule) -> bool:
        if schedule.id in self._by_id or schedule.name.encode() in self._id_of:
            return False
        self._add_name(schedule)
        self._keep(_copy(schedule))
        return True

    def change(self, change: ScheduleChange, offer_at_us: int) -> ScheduleStatus:
        schedule = _copy(change.schedule)
        stored = self._by_id.get(schedule.id)
        if stored is None or stored.revision != schedule.revision:
            return ScheduleStatus.STALE
        if self._id_of.get(schedule.name.encode(), schedule.id) != schedule.id:
            return ScheduleStatus.NAME_TAKEN
        self._drop_name(stored)
        self._add_name(schedule)
        schedule.revision += 1
        self._keep(schedule)
        for fire in change.opens:
            self._open[fire.job_id] = OpenFire(schedule.id, fire)
            self._offers.put(fire.job_id, offer_at_us)
        for job_id in change.closes:
            self.close(job_id)
        return ScheduleStatus.CHANGED

    def get(self, schedule_ids: Sequence[str]) -> list[v1.Schedule]:
        found = [_copy(self._by_id[schedule_id]) for schedule_id in set(schedule_ids) if schedule_id in self._by_id]
        return sorted(found, key=_name)

    def page(self, after: str, limit: int) -> list[v1.Schedule]:
        begin = bisect_right(self._names, after.encode())
        return [_copy(self._by_id[self._id_of[name]]) for name in self._names[begin : begin + limit]]

    def delete(self, schedule_id: str) -> bool:
        schedule = self._by_id.pop(schedule_id, None)
        if schedule is None:
            return False
        self._drop_name(schedule)
        self._due.drop(schedule_id)
        for job_id in [job_id for job_id, fire in self._open.items() if fire.schedule_id == schedule_id]:
            self.close(job_id)
        return True

    def take(self, now_us: int, until_us: int, limit: int) -> list[v1.Schedule]:
        taken = [schedule_id for _, schedule_id in self._due.up_to(now_us, limit)]
        for schedule_id in taken:
            self._due.put(schedule_id, until_us)
        return [_copy(self._by_id[schedule_id]) for schedule_id in taken]

    def take_fires(self, now_us: int, wait_us: int, limit: int) -> list[OpenFire]:
        taken = []
        for _, job_id in self._offers.up_to(now_us, limit):
            fire = self._open[job_id]
            self._offers.put(job_id, now_us + max(wait_us, now_us - fire.fire.at_us))
            taken.append(fire)
        return taken

    def is_open(self, job_id: str) -> bool:
        return job_id in self._open

    def close(self, job_id: str) -> None:
        self._open.pop(job_id, None)
        self._offers.drop(job_id)

    def next_fire(self) -> int | None:
        return min((first[0] for first in (self._due.first(), self._offers.first()) if first), default=None)

    def _keep(self, schedule: v1.Schedule) -> None:
        self._by_id[schedule.id] = schedule
        if schedule.next_fire_at_us and not schedule.paused:
            self._due.put(schedule.id, schedule.next_fire_at_us)
        else:
            self._due.drop(schedule.id)

    def _add_name(self, schedule: v1.Schedule) -> None:
        insort(self._names, _name(schedule))
        self._id_of[_name(schedule)] = schedule.id

    def _drop_name(self, schedule: v1.Schedule) -> None:
        del self._names[bisect_left(self._names, _name(schedule))]
        del self._id_of[_name(schedule)]


def _name(schedule: v1.Schedule) -> bytes:
    return schedule.name.encode()


def _copy(schedule: v1.Schedule) -> v1.Schedule:
    copy = v1.Schedule()
    copy.CopyFrom(schedule)
    return copy
