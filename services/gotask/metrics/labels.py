"""Label values, bounded: nobody can make series without end."""

from collections.abc import Callable

OTHER = "_other"

_LOOK_EVERY_S = 60


class Room:
    """How many values several sets of labels may hold together."""

    def __init__(self, limit: int) -> None:
        self.left = limit


class Labels:
    """The values of one label that have series of their own; all others share ``_other``.

    A full set lets go of the value that was idle longest, if nobody used it for *idle_s* seconds: workers come and go,
    and their names with them. *forget* is told which, so that its series end.
    """

    def __init__(self, limit: int, idle_s: float, forget: Callable[[str], None], room: Room | None = None) -> None:
        """
        :param room: more sets' bound on top of this one's own.
        """
        self._limit = limit
        self._idle_s = idle_s
        self._forget = forget
        self._room = room or Room(limit)
        self._used_at_s: dict[str, float] = {}
        self._looked_at_s = 0.0

    def label(self, value: str, now_s: float) -> str:
        """*value* itself, or ``_other``."""
        if value in self._used_at_s or self._has_place(now_s):
            if value not in self._used_at_s:
                self._room.left -= 1
            self._used_at_s[value] = now_s
            return value
        return OTHER

    def clear(self) -> None:
        """Lets go of all values."""
        for value in list(self._used_at_s):
            self._let_go(value)

    def _has_place(self, now_s: float) -> bool:
        if len(self._used_at_s) < self._limit and self._room.left > 0:
            return True
        if not self._used_at_s or now_s - self._looked_at_s < _LOOK_EVERY_S:
            return False
        self._looked_at_s = now_s
        idlest = min(self._used_at_s, key=self._used_at_s.__getitem__)
        if now_s - self._used_at_s[idlest] < self._idle_s:
            return False
        self._let_go(idlest)
        return True

    def _let_go(self, value: str) -> None:
        del self._used_at_s[value]
        self._room.left += 1
        self._forget(value)
