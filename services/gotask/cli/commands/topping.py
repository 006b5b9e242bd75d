"""The live picture of ``gotask top``."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from gotask.cli.commands.session import Session
from gotask.cli.commands.views import stats_table, worker_table
from gotask.gateway.queues import Stats
from gotask.gateway.rest.queue_document import stats_document
from gotask.gateway.rest.worker_document import worker_document
from gotask.sdk.client.queue import QueueStats
from gotask.sdk.client.times import seconds
from gotask.sdk.client.worker import Worker
from gotask.sdk.errors import Unavailable

_LEAST_S = 0.1


@dataclass(frozen=True, slots=True)
class Picture:
    """What was found at one moment."""

    at: float
    queues: Sequence[QueueStats]
    workers: Sequence[Worker]

    @property
    def ended(self) -> int:
        return sum(each.completed_jobs + each.failed_jobs for each in self.queues)


async def look(session: Session) -> None:
    """Prints one picture."""
    picture = await _picture(session)
    now_us = time.time_ns() // 1000
    session.out.show(
        lambda: {
            "queues": [stats_document(Stats(each.message, now_us)) for each in picture.queues],
            "workers": [worker_document(each.message) for each in picture.workers],
        },
        lambda: drawn(picture, None),
    )


async def follow(session: Session, every: str) -> None:
    """Shows one picture after the other; a GoTask that does not answer for a while is waited for."""
    pause_s = max(seconds(every), _LEAST_S)
    before: Picture | None = None
    with Live(Text("looking ..."), console=session.out.console, screen=session.out.console.is_terminal) as live:
        while True:
            try:
                picture = await _picture(session)
            except Unavailable as error:
                live.update(Text(f"waiting: {error}", style="yellow"))
            else:
                live.update(drawn(picture, before))
                before = picture
            await asyncio.sleep(pause_s)


async def _picture(session: Session) -> Picture:
    queues, workers = await asyncio.gather(session.client.queues.all_stats(), session.client.workers.list())
    return Picture(time.monotonic(), queues, workers)


def drawn(picture: Picture, before: Picture | None) -> RenderableType:
    """*before* is the picture before: with it, the rate between the two is known."""
    pending = sum(each.pending_jobs for each in picture.queues)
    running = sum(each.running_jobs for each in picture.queues)
    slots = sum(each.concurrency for each in picture.workers)
    rate = ""
    if before is not None:
        rate = f", {(picture.ended - before.ended) / (picture.at - before.at):,.0f} ended per second"
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    head = f"{now}  {pending:,} pending, {running:,} running on {slots:,} slots of {len(picture.workers)} workers{rate}"
    return Group(Text(head, style="bold"), Text(), stats_table(picture.queues), Text(), worker_table(picture.workers))
