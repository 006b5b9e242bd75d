"""A file that is looked at now and then, to see whether it has changed."""

import time
from pathlib import Path

_LOOK_EVERY_S = 1.0


class WatchedFile:
    """Tells of each change once, a second later at most: it is looked at no more often than that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._looked_at = time.monotonic()
        self._stamp = self._read_stamp()

    def changed(self) -> bool:
        """Whether it is another than the last time, or came or went."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
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
