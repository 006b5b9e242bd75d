"""Keys and tokens for tests."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gotask.gateway.access.caller import Scope
from gotask.gateway.access.keys import KeyFile

SECRET = "a secret of more than thirty-two bytes"


def now_us() -> int:
    return time.time_ns() // 1000


def make_key(
    file: Path, *scopes: Scope, queues: list[str] | None = None, rate: float | None = None, expires_at_us: int = 0
) -> str:
    """The text of a new key."""
    return KeyFile(file).create("test", scopes, queues, rate, now_us(), expires_at_us).text


def contents(file: Path) -> str:
    return file.read_text()


def overwrite(file: Path, text: str) -> None:
    file.write_text(text)


def permissions(file: Path) -> int:
    return file.stat().st_mode & 0o777


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def metadata(text: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {text}"),)


def claims(**fields: Any) -> dict[str, Any]:
    """Of a good token that may do everything; a field of None is left out."""
    whole = {"sub": "ada", "exp": int(time.time()) + 600, "scope": "submit read manage work", **fields}
    return {name: value for name, value in whole.items() if value is not None}


def token(fields: Mapping[str, Any], key: Any = SECRET, algorithm: str = "HS256", kid: str = "") -> str:
    return jwt.encode(claims(**fields), key, algorithm, {"kid": kid} if kid else None)


class RsaKey:
    """A key pair, and its public half in the forms that the gateway reads."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def jwk(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": "RS256", "use": "sig"}

    def token(self, **fields: Any) -> str:
        return token(fields, self.private, "RS256", self.kid)
