"""One service's place on the bus: its connection, and what can be done over it."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeVar

import nats.errors
import nats.js.errors
import structlog
from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import Header

from gotask import v1
from gotask.bus.connection import ConnectionSettings, connect
from gotask.bus.errors import BusUnavailable, Code, CommandError, MessageTooLarge, StreamFull
from gotask.bus.measures import Measures
from gotask.bus.patience import patiently
from gotask.bus.streams import StreamSettings, ensure_streams, update_streams
from gotask.bus.subjects import Subjects

_log = structlog.get_logger("gotask.bus")

_TRY_TIMEOUT_S = 2.0
_PAUSE_S = 0.1
_STREAM_FULL = frozenset({10077, 10122})
_HEADROOM = 4096
_ID = "Gotask-Command-Id"
_REPEATED = "Gotask-Repeated"
_REPEAT_HEADER = "Gotask-Repeat"

Reply = TypeVar("Reply", bound=Message)


class BusSettings(ConnectionSettings, StreamSettings, Protocol):
    """All that a bus needs to know."""

    @property
    def namespace(self) -> str: ...


class Publication(NamedTuple):
    """A message for a stream; one with the same id is stored once (within two minutes)."""

    subject: str
    data: bytes
    msg_id: str
    headers: Mapping[str, str] = MappingProxyType({})


class Command(NamedTuple):
    """A command as its owner gets it."""

    data: bytes
    id: str
    """The same for every try."""
    repeated: bool
    """Whether an earlier try may have been carried out, by anybody, and only its answer was lost."""


class Bus:
    """A live connection to NATS. Make one with :meth:`open`."""

    def __init__(self, client: Client, subjects: Subjects) -> None:
        self.client = client
        self.subjects = subjects
        self.js = client.jetstream(timeout=5)
        self.closed = asyncio.Event()
        self.measures = Measures()
        self.streams: StreamSettings | None = None
        """How the streams are kept that this connection sees to; None: that is left to others."""
        self._restoring: asyncio.Task[None] | None = None
        self._on_reconnect: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, settings: BusSettings, name: str, deadline_s: float = 30) -> "Bus":
        """Connects and sees to the streams; TimeoutError if that takes longer than *deadline_s* seconds."""
        bus = await cls.connect(settings, settings.namespace, name, deadline_s)
        bus.streams = settings
        await patiently(bus.ensure_streams, deadline_s, _failed)
        return bus

    @classmethod
    async def connect(cls, settings: ConnectionSettings, namespace: str, name: str, deadline_s: float) -> "Bus":
        """Connects, and leaves the streams to others: for those who are no service.

        TimeoutError if no broker answers within *deadline_s* seconds.
        """
        bus: Bus | None = None

        async def reconnected() -> None:
            _log.info("nats reconnected")
            if bus:
                bus.measures.reconnects += 1
                for callback in list(bus._on_reconnect):
                    callback()

        async def closed() -> None:
            if bus:
                bus.closed.set()

        subjects = Subjects(namespace)
        client = await connect(settings, name, deadline_s=deadline_s, on_reconnect=reconnected, on_closed=closed)
        bus = cls(client, subjects)
        return bus

    async def ensure_streams(self) -> None:
        """Creates what is missing of the streams, unless this connection leaves them to others."""
        if self.streams is not None:
            await ensure_streams(self.js, self.subjects, self.streams)

    async def update_streams(self, settings: StreamSettings, deadline_s: float) -> None:
        """Gives the streams the settings, which their owner does; repeats it for up to *deadline_s* seconds."""
        await patiently(lambda: update_streams(self.js, self.subjects, settings), deadline_s, _failed)

    @property
    def connected(self) -> bool:
        """Whether there is a connection now. A hint for readiness, never for correctness."""
        return self.client.is_connected

    @property
    def max_payload(self) -> int:
        """The most bytes a message may have, leaving room for its headers."""
        return int(self.client.max_payload) - _HEADROOM

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Calls *callback* after each reconnect, until :meth:`off_reconnect`."""
        self._on_reconnect.append(callback)

    def off_reconnect(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(ValueError):
            self._on_reconnect.remove(callback)

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """Core NATS: at most once. A message that cannot be sent now is dropped, with a warning."""
        self._check_size(data)
        try:
            await self.client.publish(subject, data, reply=reply)
        except nats.errors.Error as error:
            _log.warning("message not sent", subject=subject, error=str(error))

    async def publish_durable(self, publication: Publication, deadline_s: float = 5) -> None:
        """Stores a message in its stream; returns when the broker has it on disk.

        Repeats it under its id for up to *deadline_s* seconds.

        :raises MessageTooLarge: it can never be stored.
        :raises StreamFull: the stream is at its limit; nothing was stored.
        :raises BusUnavailable: the broker did not answer in time; it may have been stored.
        """
        self._check_size(publication.data)
        end = time.monotonic() + deadline_s
        headers = {Header.MSG_ID.value: publication.msg_id, **publication.headers}
        while True:
            left = end - time.monotonic()
            try:
                await self.js.publish(
                    publication.subject,
                    publication.data,
                    timeout=max(min(_TRY_TIMEOUT_S, left), 0.01),
                    headers=headers,
                )
            except nats.js.errors.APIError as error:
                if error.err_code in _STREAM_FULL:
                    raise StreamFull(f"the stream behind {publication.subject} is full") from error
                failure: Exception = error
            except nats.js.errors.NoStreamResponseError as error:
                failure = error
                self._restore_streams()
            except (nats.errors.Error, TimeoutError) as error:
                failure = error
            else:
                return
            if time.monotonic() + _PAUSE_S > end:
                raise BusUnavailable(f"the broker did not store {publication.subject}: {failure!r}") from failure
            await asyncio.sleep(_PAUSE_S)

    def _restore_streams(self) -> None:
        """No stream takes a message while its leader changes, and when it was lost with its broker's disk."""
        if self._restoring is None or self._restoring.done():
            self._restoring = asyncio.create_task(_logged_failure(self.ensure_streams()))

    async def command(self, verb: str, request: Message, reply_type: type[Reply], timeout_s: float = 5) -> Reply:
        """Gives a command to the service that owns it, and repeats it under the same id while nobody answers.

        CommandError says what was wrong; its code is UNAVAILABLE when nobody answered in time.
        """
        return await self._ask(self.subjects.command(verb), request, reply_type, timeout_s, {_ID: uuid.uuid4().hex})

    async def request(self, subject: str, request: Message, reply_type: type[Reply], timeout_s: float = 5) -> Reply:
        """A request whose answer comes in a CommandReply. It is safe to repeat, and is repeated as a command is."""
        return await self._ask(subject, request, reply_type, timeout_s, {})

    async def _ask(
        self, subject: str, request: Message, reply_type: type[Reply], timeout_s: float, headers: dict[str, str]
    ) -> Reply:
        data = request.SerializeToString()
        self._check_size(data)
        end = time.monotonic() + timeout_s
        while True:
            timeout = max(min(_TRY_TIMEOUT_S, end - time.monotonic()), 0.01)
            try:
                message = await self.client.request(subject, data, timeout=timeout, headers=headers or None)
                return _unwrap(message.data, reply_type)
            except (nats.errors.Error, TimeoutError) as error:
                if time.monotonic() + _PAUSE_S > end:
                    raise CommandError(
                        Code.UNAVAILABLE, f"nobody answered {subject.rsplit('.', 1)[-1]} in {timeout_s:g} s"
                    ) from error
                if headers and not isinstance(error, nats.errors.NoRespondersError):
                    headers[_REPEATED] = "1"
                await asyncio.sleep(_PAUSE_S)

    async def serve(self, subject: str, group: str, handle: Callable[[bytes], Awaitable[Message]]) -> Subscription:
        """Answers requests on *subject*, sharing them with the other members of *group*, until it is unsubscribed.

        A CommandError that *handle* raises goes back as its status; any other becomes INTERNAL, and is logged.
        """

        async def answer(message: Msg) -> None:
            await self._reply(message, handle(message.data))

        return await self.subscribe(subject, answer, group)

    async def serve_command(self, verb: str, group: str, handle: Callable[[Command], Awaitable[Message]]) -> None:
        """Answers the command *verb*, as :meth:`serve` does."""

        async def answer(message: Msg) -> None:
            headers = message.headers or {}
            command = Command(message.data, headers.get(_ID) or uuid.uuid4().hex, _REPEATED in headers)
            await self._reply(message, handle(command))

        await self.subscribe(self.subjects.command(verb), answer, group)

    async def _reply(self, message: Msg, answer: Awaitable[Message]) -> None:
        reply = await _answer(message.subject, answer)
        # Not message.respond(): that one sends the request's headers back.
        await self.publish(message.reply, reply.SerializeToString())

    async def subscribe(self, subject: str, handle: Callable[[Msg], Awaitable[None]], group: str = "") -> Subscription:
        """Core subscription; messages are handled concurrently, each in a task of its own."""

        async def spawn(message: Msg) -> None:
            task = asyncio.ensure_future(_logged(handle, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return await self.client.subscribe(subject, queue=group, cb=spawn)

    async def close(self) -> None:
        """Sends what is buffered and ends the connection. Not ``drain()``, which can take half a minute."""
        if self._restoring is not None:
            self._restoring.cancel()
        if self.client.is_closed:
            return
        if self.client.is_connected:
            try:
                await self.client.flush(timeout=2)
            except (nats.errors.Error, TimeoutError) as error:
                _log.warning("nats flush failed", error=str(error))
        await self.client.close()

    def _check_size(self, data: bytes) -> None:
        if len(data) > self.max_payload:
            raise MessageTooLarge(f"message of {len(data)} bytes; the broker takes {self.max_payload}")


def _failed(error: Exception) -> bool:
    return isinstance(error, (nats.errors.Error, TimeoutError))


async def _logged_failure(work: Awaitable[None]) -> None:
    try:
        await work
    except (nats.errors.Error, TimeoutError) as error:
        _log.warning("streams not restored", error=repr(error))


def _unwrap(data: bytes, reply_type: type[Reply]) -> Reply:
    reply = v1.CommandReply.FromString(data)
    if reply.HasField("status") and reply.status.code:
        raise CommandError.from_status(reply.status)
    return reply_type.FromString(reply.body)


async def _answer(subject: str, answer: Awaitable[Message]) -> v1.CommandReply:
    try:
        return v1.CommandReply(body=(await answer).SerializeToString())
    except CommandError as error:
        return v1.CommandReply(status=error.status())
    except DecodeError as error:
        refusal = CommandError(Code.INVALID_ARGUMENT, f"the request cannot be decoded: {error}")
        return v1.CommandReply(status=refusal.status())
    except Exception as error:
        _log.exception("request failed", subject=subject)
        failure = CommandError(Code.INTERNAL, f"{type(error).__name__}: {error}")
        return v1.CommandReply(status=failure.status())


async def _logged(handle: Callable[[Msg], Awaitable[None]], message: Msg) -> None:
    try:
        await handle(message)
    except Exception:
        _log.exception("message not handled", subject=message.subject)
