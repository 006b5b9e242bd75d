"""The connection to NATS: reconnects for ever, and never dies in silence."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import nats.errors
import structlog
from nats.aio.client import Client

from gotask.bus.giving_up import within
from gotask.bus.nkeys import Identity

_log = structlog.get_logger("gotask.bus")

_TELL_AGAIN_S = 10.0


class ConnectionSettings(Protocol):
    """Where the broker is and how it knows us."""

    @property
    def nats_url(self) -> str: ...
    @property
    def nats_user(self) -> str: ...
    @property
    def nats_password(self) -> str: ...
    @property
    def nats_token(self) -> str: ...
    @property
    def nats_credentials(self) -> str: ...
    @property
    def nats_nkey_seed(self) -> str: ...
    @property
    def nats_inbox_prefix(self) -> str: ...
    @property
    def nats_tls_ca(self) -> str: ...
    @property
    def nats_tls_cert(self) -> str: ...
    @property
    def nats_tls_key(self) -> str: ...


class GuardedClient(Client):
    """nats-py's client without two ways in which its read loop ends while it still says it is connected.

    A ``flush()`` that timed out or was cancelled leaves a finished future behind, on which the late PONG raises; and
    any error in the parser ends the loop. Here the first is ignored, and the second starts a reconnect. It also signs
    by itself: what nats-py signs with is no wheel, and images are installed from wheels alone.
    """

    def _setup_nkeys_connect(self) -> None:
        identity = Identity(str(self._user_credentials or self._nkeys_seed))
        self._signature_cb = identity.sign
        if self._user_credentials:
            self._user_jwt_cb = identity.jwt
        else:
            self._public_nkey = identity.public_nkey

    async def _process_pong(self) -> None:
        if self._pongs:
            future = self._pongs.pop(0)
            if not future.done():
                future.set_result(True)
            self._pongs_received += 1
            self._pings_outstanding = 0

    async def _read_loop(self) -> None:
        await super()._read_loop()
        stopped_alone = not (self.is_closed or self.is_reconnecting)
        if stopped_alone and self._reading_task is asyncio.current_task():
            await self._process_op_err(nats.errors.ProtocolError())


async def connect(
    settings: ConnectionSettings,
    name: str,
    *,
    deadline_s: float,
    on_reconnect: Callable[[], Awaitable[None]],
    on_closed: Callable[[], Awaitable[None]],
) -> Client:
    """A connected client.

    *name* shows in the broker's monitoring. *on_closed* is called when the connection is lost for good: the broker
    refused us, or we closed it.

    :raises UnusableCredentials: we cannot prove who we are.
    :raises TimeoutError: no broker answered within *deadline_s* seconds; it tells the last error.
    """
    client = GuardedClient()
    told_at: dict[str, float] = {}
    last_error = ""

    async def on_error(error: Exception) -> None:
        """A broker that is away fails four attempts a second: each kind of error is told now and then."""
        nonlocal last_error
        text = str(error) or type(error).__name__
        # A broker that refuses us hangs up, too, and only the first tells something.
        if not isinstance(error, OSError) or not last_error:
            last_error = text
        now = time.monotonic()
        if now - told_at.get(text, -_TELL_AGAIN_S) >= _TELL_AGAIN_S:
            told_at[text] = now
            _log.warning("nats error", error=text)

    async def on_disconnect() -> None:
        if not client.is_closed:
            _log.warning("nats disconnected, reconnecting")

    options: dict[str, Any] = {
        "servers": [url.strip() for url in settings.nats_url.split(",")],
        "name": name,
        "allow_reconnect": True,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.25,
        "connect_timeout": 2,
        "ping_interval": 5,
        "max_outstanding_pings": 2,
        "drain_timeout": 3,
        "inbox_prefix": settings.nats_inbox_prefix,
        "pending_size": 16 * 1024 * 1024,
        "error_cb": on_error,
        "disconnected_cb": on_disconnect,
        "reconnected_cb": on_reconnect,
        "closed_cb": on_closed,
        **_credentials(settings),
    }
    try:
        await within(deadline_s, client.connect(**options))
    except TimeoutError:
        raise TimeoutError(last_error) from None
    return client


def _credentials(settings: ConnectionSettings) -> dict[str, Any]:
    named = {
        "user": settings.nats_user,
        "password": settings.nats_password,
        "token": settings.nats_token,
        "user_credentials": settings.nats_credentials,
        "nkeys_seed": settings.nats_nkey_seed,
    }
    options: dict[str, Any] = {option: value for option, value in named.items() if value}
    if settings.nats_tls_ca or settings.nats_tls_cert:
        context = ssl.create_default_context(cafile=settings.nats_tls_ca or None)
        if settings.nats_tls_cert:
            context.load_cert_chain(settings.nats_tls_cert, settings.nats_tls_key or None)
        options["tls"] = context
    return options
