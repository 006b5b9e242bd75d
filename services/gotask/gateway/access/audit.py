"""The record of who changed what: one line per management call, whatever came of it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson
import structlog

from gotask.bus.errors import Code
from gotask.gateway.access.caller import Caller
from gotask.gateway.refusals import refusal_of
from gotask.service.clock import Clock

_log = structlog.get_logger("gotask.audit")

_MAX_TARGET = 256


class Audit:
    """Writes to *path*, a file that is only ever appended to; to the service's log when there is none.

        with audit.record(caller, "delete_queue", "mail"):
            await ...

    writes ``{"at_us": …, "caller": "ops", "action": "delete_queue", "target": "mail", "outcome": "OK"}``.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self._path = path
        self._file: IO[bytes] | None = None

    def open(self) -> None:
        """OSError when the file cannot be written."""
        if self._path is not None:
            self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextlib.contextmanager
    def record(self, caller: Caller, action: str, target: str) -> Iterator[None]:
        """Writes the line when the block has ended; its outcome is OK, or the code of the error that left it."""
        try:
            yield
        except Exception as error:
            self.write(caller, action, target, refusal_of(error).code)
            raise
        self.write(caller, action, target, Code.OK)

    def write(self, caller: Caller, action: str, target: str, outcome: Code) -> None:
        line = {"caller": caller.name, "action": action, "target": target[:_MAX_TARGET], "outcome": outcome.name}
        if self._file is None:
            _log.info("management", **line)
        else:
            self._file.write(orjson.dumps({"at_us": self._clock.now_us(), **line}, option=orjson.OPT_APPEND_NEWLINE))
