"""API keys: made here, shown once, kept as hashes in a file."""

import base64
import contextlib
import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gotask.gateway.access.caller import Caller, Scope
from gotask.gateway.access.watched_file import WatchedFile
from gotask.jobs.request import QueueName

_log = structlog.get_logger("gotask.gateway")

_KEY = re.compile(r"gtk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_SECRET_BYTES = 32
_ID_BYTES = 6


class KeyRecord(BaseModel):
    """A key as the file holds it. The key itself is not in it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name: str = Field(min_length=1, max_length=128)
    sha256: str = Field(pattern="^[0-9a-f]{64}$", repr=False)
    scopes: list[Scope] = Field(min_length=1)
    queues: Annotated[list[QueueName], Field(min_length=1)] | None = None
    rate: float | None = Field(None, ge=0)
    created_at_us: int
    expires_at_us: int = 0

    def caller(self) -> Caller:
        queues = None if self.queues is None else frozenset(self.queues)
        return Caller(f"{self.name} ({self.id})", frozenset(self.scopes), queues, self.rate)

    def expired(self, now_us: int) -> bool:
        return bool(self.expires_at_us) and self.expires_at_us <= now_us


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[KeyRecord]


class KeyFileUnreadable(Exception):
    """The key file is not one; the text says why."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """*text* is shown to its owner once, and kept nowhere."""

    text: str
    record: KeyRecord


class KeyFile:
    """The keys in *path*; a file that does not exist holds none. Only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[KeyRecord]:
        """Oldest first."""
        try:
            return _File.model_validate_json(self.path.read_bytes()).keys
        except FileNotFoundError:
            return []
        except (OSError, ValidationError) as error:
            raise KeyFileUnreadable(f"{self.path}: {error}") from None

    def create(
        self,
        name: str,
        scopes: Collection[Scope],
        queues: Collection[str] | None,
        rate: float | None,
        now_us: int,
        expires_at_us: int = 0,
    ) -> NewKey:
        """A new key of 256 random bits. ValidationError for a wrong value."""
        key_id = secrets.token_hex(_ID_BYTES)
        secret = base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).rstrip(b"=").decode()
        text = f"gtk_{key_id}_{secret}"
        record = KeyRecord(
            id=key_id,
            name=name,
            sha256=_hash(text),
            scopes=sorted(scopes),
            queues=None if queues is None else sorted(queues),
            rate=rate,
            created_at_us=now_us,
            expires_at_us=expires_at_us,
        )
        with self._locked():
            self._write([*self.read(), record])
        return NewKey(text, record)

    def revoke(self, key_id: str) -> bool:
        """Forgets a key; False when there is none with this id."""
        with self._locked():
            records = self.read()
            kept = [record for record in records if record.id != key_id]
            if len(kept) == len(records):
                return False
            self._write(kept)
            return True

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Two who change the file do it one after the other."""
        with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, records: list[KeyRecord]) -> None:
        """Replaces the file in one step: a reader sees the old keys or the new ones."""
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_File(keys=records).model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


class ApiKeys:
    """Knows callers by their keys. A file that changes is read again, a second later at most."""

    def __init__(self, file: KeyFile) -> None:
        """KeyFileUnreadable when the file is none."""
        self._file = file
        self._watched = WatchedFile(file.path)
        self._known = _by_id(file)

    def caller(self, text: str, now_us: int) -> Caller | None:
        """None for a key that is unknown, revoked or expired."""
        shape = _KEY.fullmatch(text)
        if shape is None:
            return None
        if self._watched.changed():
            self._read_again()
        found = self._known.get(shape[1])
        if found is None or not hmac.compare_digest(found[0].sha256, _hash(text)) or found[0].expired(now_us):
            return None
        return found[1]

    def _read_again(self) -> None:
        try:
            self._known = _by_id(self._file)
        except KeyFileUnreadable as error:
            _log.error("the keys stay as they were", reason=str(error))


def _by_id(file: KeyFile) -> dict[str, tuple[KeyRecord, Caller]]:
    return {record.id: (record, record.caller()) for record in file.read()}


def looks_like_key(text: str) -> bool:
    """Whether *text* is meant to be an API key, right or wrong."""
    return text.startswith("gtk_")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
