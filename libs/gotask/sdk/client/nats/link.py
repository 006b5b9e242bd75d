"""One live connection to NATS, and what hangs on it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from google.protobuf.message import Message

from gotask import v1
from gotask.bus.bus import Bus
from gotask.bus.errors import BusError, Code, CommandError, MessageTooLarge, UnusableCredentials
from gotask.bus.group_commit import GroupCommit
from gotask.bus.job_commands import JobCommands
from gotask.bus.submissions import Submissions
from gotask.bus.watches import Watches
from gotask.sdk.client.settings import ClientSettings
from gotask.sdk.errors import GoTaskError, InternalError, InvalidArgument, Unavailable, error_of

_MAX_IDS = 500
_PUBLISH_TIMEOUT_S = 5.0
_REPLY_TIMEOUT_S = 2.0
_MOST_UNDER_WAY = 1_000_000

Reply = TypeVar("Reply", bound=Message)


class Link:
    """Reads and commands of single jobs gather, and leave together."""

    def __init__(self, bus: Bus, settings: ClientSettings) -> None:
        self.bus = bus
        self._where = f"{settings.safe_url}, namespace {settings.namespace!r}"
        self.timeout_s = settings.timeout_s
        self.submissions = Submissions(
            bus,
            min(_PUBLISH_TIMEOUT_S, self.timeout_s),
            min(_REPLY_TIMEOUT_S, self.timeout_s),
            _MOST_UNDER_WAY,
        )
        self.watches = Watches(bus)
        self.reads: GroupCommit[str, v1.Job | None] = GroupCommit(self._read, max_items=_MAX_IDS, concurrency=2)
        self.stats: GroupCommit[str, v1.QueueStats | None] = GroupCommit(self._read_stats, max_items=_MAX_IDS)
        self._job_commands = JobCommands(bus, self.timeout_s)

    @classmethod
    async def open(cls, settings: ClientSettings, bus: Bus | None = None) -> "Link":
        """On *bus*, or on a connection of its own; Unavailable when no broker answers in time."""
        link = cls(bus or await _connect(settings), settings)
        await link.submissions.start()
        return link

    async def close(self) -> None:
        """Returns when what was submitted is on its way."""
        await self.submissions.stop()

    async def command(self, verb: str, request: Message, reply_type: type[Reply]) -> Reply:
        """What the owner of *verb* answers."""
        with self.told():
            return await self.bus.command(verb, request, reply_type, self.timeout_s)

    async def job_command(self, verb: str, job_id: str) -> None:
        """Refused, or NotFound, when the job does not allow it."""
        with self.told():
            await self._job_commands.give(verb, job_id)

    async def _read(self, ids: list[str]) -> Sequence[v1.Job | None]:
        found: list[v1.Job | None] = []
        while len(found) < len(ids):
            reply = await self.command("get_jobs", v1.JobIds(ids=ids[len(found) :]), v1.FoundJobs)
            if not reply.jobs:
                raise InternalError("the queue-manager answered without the jobs that were asked for")
            found += [job if job.HasField("spec") else None for job in reply.jobs]
        return found

    async def _read_stats(self, names: list[str]) -> Sequence[v1.QueueStats | None]:
        found: dict[str, v1.QueueStats] = {}
        more, after = True, ""
        while more:
            reply = await self.command("queue_stats", v1.ListNames(names=names, after=after), v1.FoundStats)
            found |= {stats.name: stats for stats in reply.stats}
            more = reply.more and bool(reply.stats)
            after = max(found, default="")
        return [found.get(name) for name in names]

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turns what the bus raises into what users catch."""
        try:
            yield
        except BusError as error:
            raise self._as_told(error) from None

    def _as_told(self, error: BusError) -> GoTaskError:
        if isinstance(error, MessageTooLarge):
            return InvalidArgument(str(error))
        if not isinstance(error, CommandError):
            return Unavailable(str(error))
        if error.code == Code.UNAVAILABLE:
            return Unavailable(f"{error.message} ({self._where})", error.field)
        return error_of(error.code, error.message, error.field)


async def _connect(settings: ClientSettings) -> Bus:
    try:
        return await Bus.connect(settings, settings.namespace, settings.name, settings.timeout_s)
    except UnusableCredentials as error:
        field = "nats_credentials" if settings.nats_credentials else "nats_nkey_seed"
        raise InvalidArgument(str(error), field) from None
    except TimeoutError as error:
        why = f"; the last answer: {error}" if str(error) else ""
        raise Unavailable(
            f"no NATS let us in at {settings.safe_url} within {settings.timeout_s:g} s{why}", "url"
        ) from None
