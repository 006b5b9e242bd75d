"""The arguments and the answer of the function ``insert_jobs``."""

from collections.abc import Sequence
from typing import Any

from gotask import v1
from gotask.jobs.states import PENDING, SCHEDULED
from gotask.storage.contract import Inserted, InsertStatus
from gotask.storage.postgres.text import array, columns

_PENDING = Inserted(InsertStatus.CREATED, PENDING)
_SCHEDULED = Inserted(InsertStatus.CREATED, SCHEDULED)


def arguments(specs: Sequence[v1.JobSpec], now_us: int) -> list[Any]:
    ids: list[str | None] = [spec.id for spec in specs]
    numbers: dict[str, int] = {}
    queues = [numbers.setdefault(spec.queue, len(numbers) + 1) for spec in specs]
    idempotency_keys = _if_any(columns([spec.idempotency_key for spec in specs]))
    unique_keys = _if_any(columns([spec.unique_key for spec in specs]))
    fires = _if_any([bool(spec.schedule_id) for spec in specs])
    return [
        now_us,
        columns(list(numbers)),
        bool(unique_keys or fires or _repeats(ids) or _repeats(idempotency_keys)),
        ids,
        queues,
        [spec.priority for spec in specs],
        columns([spec.type for spec in specs]),
        [spec.created_at_us for spec in specs],
        [spec.SerializeToString() for spec in specs],
        _if_any([spec.scheduled_at_us for spec in specs]),
        _if_any([spec.expires_at_us for spec in specs]),
        idempotency_keys,
        unique_keys,
        _if_any([array(list(spec.tags)) if spec.tags else None for spec in specs]),
        fires,
    ]


def _repeats(values: list[str | None] | None) -> bool:
    given = [value for value in values or () if value]
    return len(set(given)) < len(given)


def _if_any(values: list[Any]) -> list[Any] | None:
    """The values, None for the empty ones; None where all are."""
    return [value or None for value in values] if any(values) else None


def results(specs: Sequence[v1.JobSpec], now_us: int, refused: Sequence[tuple[int, int, Any]]) -> list[Inserted]:
    """What became of each job."""
    found = [_SCHEDULED if spec.scheduled_at_us > now_us else _PENDING for spec in specs]
    for position, status, existing in refused:
        found[position - 1] = Inserted(InsertStatus(status), existing_id=str(existing or ""))
    return found
