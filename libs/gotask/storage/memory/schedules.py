"""The schedules of the memory backend."""

from collections.abc import Sequence

from gotask import v1
from gotask.storage.schedules import advanced


class Schedules:
    """The schedules by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, v1.Schedule] = {}

    def create(self, schedule: v1.Schedule) -> bool:
        if schedule.id in self._by_id or self._name_taken(schedule):
            return False
        self._by_id[schedule.id] = _copy(schedule)
        return True

    def update(self, schedule: v1.Schedule) -> bool:
        if schedule.id not in self._by_id or self._name_taken(schedule):
            return False
        self._by_id[schedule.id] = _copy(schedule)
        return True

    def _name_taken(self, schedule: v1.Schedule) -> bool:
        return any(other.name == schedule.name and other.id != schedule.id for other in self._by_id.values())

    def get(self, schedule_ids: Sequence[str] | None) -> list[v1.Schedule]:
        wanted = self._by_id if schedule_ids is None else set(schedule_ids)
        found = [_copy(self._by_id[schedule_id]) for schedule_id in wanted if schedule_id in self._by_id]
        return sorted(found, key=lambda schedule: schedule.name)

    def delete(self, schedule_id: str) -> bool:
        return self._by_id.pop(schedule_id, None) is not None

    def due(self, now_us: int, limit: int) -> list[v1.Schedule]:
        due = [
            schedule
            for schedule in self._by_id.values()
            if not schedule.paused and 0 < schedule.next_fire_at_us <= now_us
        ]
        due.sort(key=lambda schedule: (schedule.next_fire_at_us, schedule.id))
        return [_copy(schedule) for schedule in due[:limit]]

    def advance(self, schedule_id: str, expected_us: int, next_us: int, fires: Sequence[v1.Fire]) -> bool:
        schedule = self._by_id.get(schedule_id)
        if schedule is None or schedule.next_fire_at_us != expected_us:
            return False
        self._by_id[schedule_id] = advanced(schedule, next_us, fires)
        return True


def _copy(schedule: v1.Schedule) -> v1.Schedule:
    copy = v1.Schedule()
    copy.CopyFrom(schedule)
    return copy
