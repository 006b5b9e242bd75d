"""A file that is looked at now and then, to see whether it has changed."""

import time
from collections.abc import Callable
from pathlib import Path


class WatchedFile:
    """Tells of a change at most once, and not more often than every *look_every_s* seconds."""

    def __init__(self, path: Path, look_every_s: float = 1.0, now: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._look_every_s = look_every_s
        self._now = now
        self._looked_at = now()
        self._stamp = self._read_stamp()

    def changed(self) -> bool:
        """Whether it is another than the last time, or came or went."""
        now = self._now()
        if now - self._looked_at < self._look_every_s:
            return False
        self._looked_at = now
        before, self._stamp = self._stamp, self._read_stamp()
        return self._stamp != before

    def _read_stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
