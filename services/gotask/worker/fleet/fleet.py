"""Keeps worker processes alive until it is told to stop."""

import asyncio
import signal
import time
from collections.abc import Sequence

import structlog

from gotask.worker.fleet.member import Member

_log = structlog.get_logger("gotask.worker")

WRONG_SETTING = 2
"""The exit code of a worker that no restart can help."""
HURRY = signal.SIGINT
"""What a member gets when it is to stop without patience; SIGTERM, which it may get from others too, it takes once."""

_LONG_LIFE_S = 30.0
_TOO_EARLY = (-signal.SIGTERM, -signal.SIGINT, 130)
"""Exit codes of a member that was stopped before it listened to signals, and so before it began to work."""


class Fleet:
    """Worker processes.

    :param pauses_s: seconds until a member that has ended is started anew, the first time, the second time and so on;
        the last holds for all further times, and the first again after a long life. None: it is not started anew.
    :param patience_s: seconds that members have to stop; then they are killed.
    """

    def __init__(self, members: Sequence[Member], pauses_s: Sequence[float], patience_s: float) -> None:
        self._members = members
        self._pauses_s = pauses_s
        self._patience_s = patience_s
        self._stopping = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> int:
        """Runs until *stop* is set, or a member is beyond help.

        The exit code: 0 when all members have stopped in an orderly way, else that of one that has not.
        """
        keepers = [asyncio.create_task(self._keep(member)) for member in self._members]
        asked = asyncio.create_task(stop.wait())
        running = set(keepers)
        while running and not asked.done():
            ended, _ = await asyncio.wait([asked, *running], return_when=asyncio.FIRST_COMPLETED)
            running -= {task for task in keepers if task in ended}
            if any(task.result() == WRONG_SETTING for task in keepers if task in ended):
                break
        asked.cancel()
        await self._stop(keepers)
        return next((code for code in (task.result() for task in keepers) if code), 0)

    def hurry(self) -> None:
        """Members that are stopping are to do so at once."""
        self._send(HURRY)

    async def _stop(self, keepers: Sequence[asyncio.Task[int]]) -> None:
        self._stopping.set()
        self._send(signal.SIGTERM)
        _, late = await asyncio.wait(keepers, timeout=self._patience_s)
        if late:
            _log.error("worker processes killed", processes=len(late), waited_s=self._patience_s)
            self._send(signal.SIGKILL)
            await asyncio.wait(late)

    def _send(self, number: signal.Signals) -> None:
        for member in self._members:
            member.send(number)

    async def _keep(self, member: Member) -> int:
        """The exit code with which the member ended for good; 0 if that was because it was asked to."""
        deaths = 0
        while True:
            began = time.monotonic()
            code = await member.run()
            if self._stopping.is_set():
                return 0 if code in _TOO_EARLY else abs(code)
            if code == WRONG_SETTING or not self._pauses_s:
                _log.error("worker process ended", process=member.name, code=code)
                return abs(code)
            deaths = 0 if time.monotonic() - began > _LONG_LIFE_S else deaths
            pause = self._pauses_s[min(deaths, len(self._pauses_s) - 1)]
            deaths += 1
            _log.warning("worker process ended", process=member.name, code=code, restart_in_s=pause)
            if await self._stops_within(pause):
                return 0

    async def _stops_within(self, seconds: float) -> bool:
        try:
            return await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
