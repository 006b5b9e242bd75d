"""Progress, from a child to its worker: the newest only."""

import threading
import time
from collections.abc import Callable

from gotask import v1

_EVERY_S = 0.1


class ProgressReports:
    """Sends at most ten reports a second, whatever a handler tells; an older one that was not sent is dropped."""

    def __init__(self, send: Callable[[v1.JobProgress], None]) -> None:
        self._send = send
        self._newest: v1.JobProgress | None = None
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None

    def report(self, job_id: str, progress: v1.Progress) -> None:
        self._newest = v1.JobProgress(job_id=job_id, progress=progress)
        self._changed.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            newest, self._newest = self._newest, None
            if newest is not None:
                self._send(newest)
            time.sleep(_EVERY_S)
