"""What can be done with dead letters, for code without an event loop."""

from collections.abc import Iterator, Sequence
from typing import Unpack

from gotask.sdk.client.dead_letters import DeadChanged, DeadCriteria
from gotask.sdk.client.job import Job
from gotask.sdk.client.listing import JobPage
from gotask.sdk.client.sync.run import Iterate, Run


class SyncDeadLetters:
    """As :class:`~gotask.sdk.client.dead_letters.DeadLetters`."""

    def __init__(self, run: Run, iterate: Iterate) -> None:
        self._run = run
        self._iterate = iterate

    def list(self, queue: str, *, limit: int = 50, cursor: str = "", **criteria: Unpack[DeadCriteria]) -> JobPage:
        return self._run(lambda client: client.dead.list(queue, limit=limit, cursor=cursor, **criteria))

    def iterate(self, queue: str, **criteria: Unpack[DeadCriteria]) -> Iterator[Job]:
        return self._iterate(lambda client: client.dead.iterate(queue, **criteria))

    def retry(self, queue: str, ids: Sequence[str] = (), **criteria: Unpack[DeadCriteria]) -> DeadChanged:
        return self._run(lambda client: client.dead.retry(queue, ids, **criteria))

    def purge(self, queue: str, **criteria: Unpack[DeadCriteria]) -> DeadChanged:
        return self._run(lambda client: client.dead.purge(queue, **criteria))
