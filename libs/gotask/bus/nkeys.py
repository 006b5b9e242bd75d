"""Proves to a broker who we are: by an nkey, an Ed25519 key written as github.com/nats-io/nkeys defines it."""

import base64
import binascii
import contextlib
import re
from pathlib import Path
from typing import NamedTuple

from gotask.bus.errors import UnusableCredentials

_SEED = 18 << 3
_USER = 20 << 3
_KEY_BYTES = 32
_PARTS = re.compile(rb"-+BEGIN ([A-Z ]+)-+\s+(\S+)\s+-+END \1-+")


class Nkey:
    """A user's key. ValueError for a seed that is none of a user, ModuleNotFoundError without the extra "nkey"."""

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        raw = base64.b32decode(seed + b"=" * (-len(seed) % 8))
        head, key, checksum = raw[:2], raw[2:-2], raw[-2:]
        if len(key) != _KEY_BYTES or _checksum(raw[:-2]) != checksum:
            raise ValueError("its checksum or its length is wrong")
        if head != bytes((_SEED | _USER >> 5, _USER << 3 & 0xFF)):
            raise ValueError("it does not begin with SU")
        self._key = Ed25519PrivateKey.from_private_bytes(key)

    @property
    def public(self) -> str:
        """As the broker's configuration names us: U..."""
        body = bytes((_USER,)) + self._key.public_key().public_bytes_raw()
        return base64.b32encode(body + _checksum(body)).rstrip(b"=").decode()

    def sign(self, nonce: str) -> bytes:
        return base64.b64encode(self._key.sign(nonce.encode()))


def _checksum(data: bytes) -> bytes:
    """CRC-16/XMODEM."""
    return binascii.crc_hqx(data, 0).to_bytes(2, "little")


class _Read(NamedTuple):
    nkey: Nkey
    jwt: bytes


class Identity:
    """A file with an nkey's seed, or with that and a JWT. It is read anew for each connection, and what it held last
    counts while it cannot be.

    UnusableCredentials says what is wrong with it at first.
    """

    def __init__(self, file: str) -> None:
        self._file = Path(file)
        self._held = self._read()

    @property
    def public_nkey(self) -> str:
        return self._held.nkey.public

    def sign(self, nonce: str) -> bytes:
        """With the key that is in the file now: the broker asks once for each connection, and for this first."""
        with contextlib.suppress(UnusableCredentials):
            self._held = self._read()
        return self._held.nkey.sign(nonce)

    def jwt(self) -> bytes:
        """Empty where the file has none."""
        return self._held.jwt

    def _read(self) -> _Read:
        try:
            text = self._file.read_bytes()
            parts = {part[1]: part[2] for part in _PARTS.finditer(text)}
            return _Read(Nkey(parts.get(b"USER NKEY SEED", text.strip())), parts.get(b"NATS USER JWT", b""))
        except ModuleNotFoundError as error:
            raise UnusableCredentials(f"{error.name} is not installed: install gotask[nkey]") from None
        except OSError as error:
            raise UnusableCredentials(f"{self._file} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise UnusableCredentials(f"{self._file} holds no nkey of a user: {error}") from None
