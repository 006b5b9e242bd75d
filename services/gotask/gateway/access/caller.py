"""Whoever calls, and what they may do."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from gotask.bus.errors import Code, CommandError


class Scope(StrEnum):
    """What calls are allowed for. None includes another."""

    SUBMIT = "submit"  # hand in jobs
    READ = "read"  # look at everything
    MANAGE = "manage"  # cancel, retry, delete; change queues, schedules and workers
    WORK = "work"  # claim jobs and report what came of them


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """*queues* are the only ones it may see or use, one at least; None: all. *rate* is its own limit, in calls per
    second; None: the gateway's; 0: no limit."""

    name: str
    scopes: Collection[Scope] = ALL_SCOPES
    queues: frozenset[str] | None = None
    rate: float | None = None

    def may_use(self, queue: str) -> bool:
        return self.queues is None or queue in self.queues

    def check_queue(self, queue: str, field: str = "queue") -> None:
        """PERMISSION_DENIED unless the caller may use *queue*."""
        if not self.may_use(queue):
            raise CommandError(Code.PERMISSION_DENIED, f"{self.name} may not use queue {queue!r}", field)
