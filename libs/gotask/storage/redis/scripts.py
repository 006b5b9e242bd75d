"""The Lua scripts: every script is its file, with the files it stands on before it."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_JOBS = ("keys", "records", "changes", "transitions")
_SHARED = {
    "get": (*_JOBS, "reading"),
    "scan": (*_JOBS, "reading"),
    "schedule": ("keys", "schedules"),
    "queue": ("keys",),
    "worker": ("keys",),
    "workers": ("keys",),
}


_READING = {"get", "scan", "collect", "stats", "expired_leases", "queue_get", "schedule_get", "schedule_due"}


class Script(NamedTuple):
    """A script's source, the digest that the server knows it by, and whether it may write."""

    source: bytes
    sha: str
    writes: bool


@cache
def script(name: str) -> Script:
    """The script of the file ``lua/<name>.lua``."""
    shared = _SHARED.get(name) or _SHARED.get(name.partition("_")[0]) or _JOBS
    folder = files("gotask.storage.redis") / "lua"
    source = b"\n".join((folder / f"{part}.lua").read_bytes() for part in (*shared, name))
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest(), name not in _READING)
