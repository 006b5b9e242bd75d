"""Credentials in, a caller out."""

from collections.abc import Callable
from typing import NamedTuple

from gotask.bus.errors import Code, CommandError
from gotask.gateway.access.caller import Caller
from gotask.gateway.access.keys import ApiKeys, looks_like_key
from gotask.service.clock import Clock

_BEARER = "bearer "

TokenCheck = Callable[[str, int], Caller | None]
"""Who has this token at this moment, in microseconds; None: it is not good."""


class Credentials(NamedTuple):
    """What came with a call: the header Authorization, the header X-API-Key, and the address it came from."""

    authorization: str
    api_key: str
    address: str


class Authenticator:
    """Knows callers by API keys, by tokens, or by either."""

    def __init__(self, clock: Clock, keys: ApiKeys | None, tokens: TokenCheck | None) -> None:
        self._clock = clock
        self._keys = keys
        self._tokens = tokens

    def caller(self, credentials: Credentials) -> Caller:
        """UNAUTHENTICATED says what is missing, and never what was wrong with a secret."""
        text = credentials.api_key or _bearer(credentials.authorization)
        if not text:
            raise CommandError(
                Code.UNAUTHENTICATED,
                "say who you are: Authorization: Bearer <API key or token>, or X-API-Key: <API key>",
            )
        now_us = self._clock.now_us()
        if looks_like_key(text):
            caller = self._keys.caller(text, now_us) if self._keys else None
        else:
            caller = self._tokens(text, now_us) if self._tokens else None
        if caller is None:
            raise CommandError(Code.UNAUTHENTICATED, "the key or token is not known, or not valid any more")
        return caller


def _bearer(authorization: str) -> str:
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return ""
