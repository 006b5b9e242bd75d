"""JSON Web Tokens: made by somebody else, checked here."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import structlog
from jwt.algorithms import RSAAlgorithm

from gotask.gateway.access.caller import Caller, Scope
from gotask.gateway.access.watched_file import WatchedFile

_log = structlog.get_logger("gotask.gateway")

_MAX_KNOWN = 10_000
_LEEWAY_S = 10
_LONGEST = 8_192


class UnusableKey(Exception):
    """A key that tokens are to be checked with is none; the text says why."""


class TokenKeys:
    """What signatures are checked with. Each key serves one algorithm and no other: a token cannot choose.

    A JWKS file is read again when it changes; one that becomes unreadable leaves the keys as they were.
    """

    def __init__(self, secret: str = "", public_key_file: Path | None = None, jwks_file: Path | None = None) -> None:
        """UnusableKey names the file that is wrong."""
        self._secret = secret
        self._public_key = _read_public_key(public_key_file) if public_key_file else None
        self._by_id = _read_jwks(jwks_file) if jwks_file else {}
        self._jwks = WatchedFile(jwks_file) if jwks_file else None

    def changed(self) -> bool:
        """Whether the JWKS file brought other keys since the last call."""
        if self._jwks is None or not self._jwks.changed():
            return False
        try:
            self._by_id = _read_jwks(self._jwks.path)
        except UnusableKey as error:
            _log.error("the keys of tokens stay as they were", reason=str(error))
            return False
        return True

    def key_for(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """The key that the token names, and the algorithm it may be used with. InvalidTokenError when there is none."""
        algorithm = header.get("alg")
        if algorithm == "HS256" and self._secret:
            return self._secret, algorithm
        if algorithm == "RS256":
            named = self._by_id.get(str(header.get("kid", "")))
            if named is not None and named.algorithm_name == algorithm:
                return named.key, algorithm
            if self._public_key is not None:
                return self._public_key, algorithm
        raise jwt.InvalidTokenError("no key for it")


def _read_public_key(path: Path) -> Any:
    try:
        return RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(path.read_text())
    except (OSError, ValueError, jwt.InvalidKeyError) as error:
        raise UnusableKey(f"{path} holds no public key in PEM form: {error}") from None


def _read_jwks(path: Path) -> dict[str, jwt.PyJWK]:
    try:
        keys = jwt.PyJWKSet.from_json(path.read_text()).keys
    except (OSError, ValueError, jwt.PyJWTError) as error:
        raise UnusableKey(f"{path} is not a JWKS file: {error}") from None
    return {key.key_id: key for key in keys if key.key_id}


class Tokens:
    """Knows callers by their tokens.

    Claims: ``exp`` is required; ``aud`` and ``iss`` have to be what the settings say; ``sub`` is the caller's name;
    ``scope`` (words separated by spaces) or ``scopes`` (a list) are what it may do; ``queues`` (a list) limits it to
    these. A token that was found good is not checked again until it expires.
    """

    def __init__(self, keys: TokenKeys, audience: str, issuer: str) -> None:
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._known: OrderedDict[bytes, tuple[Caller, int]] = OrderedDict()

    def caller(self, text: str, now_us: int) -> Caller | None:
        """None for a token that is not good."""
        if len(text) > _LONGEST:
            return None
        if self._keys.changed():
            self._known.clear()
        digest = hashlib.sha256(text.encode()).digest()
        known = self._known.get(digest)
        if known is not None and known[1] > now_us:
            return known[0]
        try:
            claims = self._claims(text)
            caller = _caller(claims)
        except (jwt.InvalidTokenError, ValueError):
            return None
        self._known[digest] = (caller, int(claims["exp"]) * 1_000_000)
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        return caller

    def _claims(self, text: str) -> dict[str, Any]:
        key, algorithm = self._keys.key_for(jwt.get_unverified_header(text))
        return jwt.decode(
            text,
            key,
            algorithms=[algorithm],
            audience=self._audience or None,
            issuer=self._issuer or None,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "sub"], "verify_aud": bool(self._audience)},
        )


def _caller(claims: Mapping[str, Any]) -> Caller:
    """ValueError for claims that are not of the right form. Words that are no scopes of ours are others'."""
    words = claims.get("scopes", claims.get("scope", ""))
    if isinstance(words, str):
        words = words.split()
    queues = claims.get("queues")
    if not isinstance(words, list) or not (queues is None or (isinstance(queues, list) and queues)):
        raise ValueError("scopes and queues are lists, and queues, if given, holds one at least")
    ours = frozenset(Scope(word) for word in words if word in set(Scope))
    return Caller(str(claims["sub"])[:128], ours, None if queues is None else frozenset(map(str, queues)))
