"""Who looks: a cookie names a session, and only this process knows its credentials."""

import asyncio
import secrets
import time
from dataclasses import dataclass

import httpx
from starlette.requests import Request
from starlette.responses import Response

from gotask.metrics.dashboard.api import Api
from gotask.metrics.dashboard.live import Live

_COOKIE = "gotask_session"
_AGE_S = 12 * 3600
_MAX_SESSIONS = 1_000


@dataclass(slots=True)
class Session:
    """Somebody who looks. *named*: by credentials."""

    api: Api
    live: Live
    ends_at: float
    named: bool


class Sessions:
    """The sessions by their cookies. They end with the process, after half a day, or with a sign-out."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._by_id: dict[str, Session] = {}
        self._nobody = self._session("", float("inf"))

    def of(self, request: Request) -> Session:
        """The session of whoever asks; without a cookie that of those who have no credentials."""
        session = self._by_id.get(request.cookies.get(_COOKIE, ""))
        return session if session and session.ends_at > time.monotonic() else self._nobody

    async def sign_in(self, credentials: str, response: Response, *, secure: bool) -> None:
        """Tells the browser a new session's name; ApiError when the gateway does not take the credentials."""
        session = self._session(credentials, time.monotonic() + _AGE_S)
        await session.api.get("/queues")
        await self._forget_old()
        name = secrets.token_urlsafe(32)
        self._by_id[name] = session
        response.set_cookie(_COOKIE, name, max_age=_AGE_S, httponly=True, samesite="strict", secure=secure)

    async def sign_out(self, request: Request, response: Response) -> None:
        session = self._by_id.pop(request.cookies.get(_COOKIE, ""), None)
        if session is not None:
            await session.live.stop()
        response.delete_cookie(_COOKIE)

    async def stop(self) -> None:
        sessions = [self._nobody, *self._by_id.values()]
        await asyncio.gather(*(session.live.stop() for session in sessions))

    def _session(self, credentials: str, ends_at: float) -> Session:
        api = Api(self._client, credentials)
        return Session(api, Live(api), ends_at, bool(credentials))

    async def _forget_old(self) -> None:
        now = time.monotonic()
        old = [name for name, session in self._by_id.items() if session.ends_at <= now]
        surplus = len(self._by_id) - len(old) - _MAX_SESSIONS + 1
        old += [name for name in self._by_id if name not in old][: max(surplus, 0)]
        for name in old:
            await self._by_id.pop(name).live.stop()
