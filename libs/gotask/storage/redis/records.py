"""Reads what the scripts packed: see FORMAT in prelude.lua."""

import struct
from collections.abc import Sequence

from gotask import v1

_FIXED = struct.Struct("<BBIIddddd")
_CANCEL_REQUESTED = 1


def claimed_numbers(packed: bytes) -> tuple[int, int, int]:
    """A claimed job's attempt, the try that it is, and when it became pending."""
    _, _, attempt, forgiven, _, ready, _, _, _ = _FIXED.unpack_from(packed)
    return attempt, attempt - forgiven, int(ready)


def to_job(parts: Sequence[bytes]) -> v1.Job:
    """A job from what get.lua answers for it."""
    packed, spec, history, result, progress, lease = parts
    state, flags, attempt, forgiven, _, ready, due, started, finished = _FIXED.unpack_from(packed)
    _, worker, _ = packed[_FIXED.size :].split(b"\0")
    job = v1.Job(
        state=state,
        attempt=attempt,
        attempts_forgiven=forgiven,
        ready_at_us=int(ready),
        due_at_us=int(due),
        lease_until_us=int(float(lease)),
        worker=worker.decode(),
        started_at_us=int(started),
        finished_at_us=int(finished),
        result=result or b"",
        cancel_requested=bool(flags & _CANCEL_REQUESTED),
        history=v1.History.FromString(history or b""),
    )
    job.spec.ParseFromString(spec)
    if progress:
        job.progress.ParseFromString(progress)
    return job
