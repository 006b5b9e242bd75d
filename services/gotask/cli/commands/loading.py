"""Submitting many jobs from a file, one JSON document a line."""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson
import typer

from gotask.cli.commands.exits import Exit, exit_of
from gotask.cli.commands.session import Session
from gotask.cli.commands.waiting import wait_for
from gotask.sdk.client.handle import JobHandle
from gotask.sdk.client.new_job import NewJob
from gotask.sdk.errors import GoTaskError, InvalidArgument, SubmitFailed

_BATCH = 1_000
_IN_FLIGHT = 4
_TOLD = 20

Outcome = JobHandle[Any] | GoTaskError


class _Line(NamedTuple):
    number: int
    job: NewJob[Any] | GoTaskError


async def load(session: Session, file: Path, *, wait: bool, wait_timeout: str) -> int:
    """Submits the jobs of *file*, tells of those that were refused, and gives the exit code."""
    loading = _Loading(session)
    with _opened(file) as lines, session.out.progress() as progress:
        bar = progress.add_task("submitting", total=None)
        async for done in loading.batches(_numbered(lines)):
            progress.update(bar, advance=done)
    if not session.out.json:
        session.out.note(f"{len(loading.taken)} submitted, {loading.refused} refused")
    code = Exit.DONE
    if wait and loading.taken:
        code = Exit(await wait_for(session, loading.taken, wait_timeout))
    return code or loading.code


class _Loading:
    """What has become of the lines so far."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.taken: list[str] = []
        self.refused = 0
        self.code = Exit.DONE

    async def batches(self, lines: Iterator[_Line]) -> AsyncIterator[int]:
        """Submits batch by batch, several at a time; how many lines each had, in order."""
        under_way: deque[tuple[list[_Line], asyncio.Task[Sequence[Outcome]]]] = deque()
        while batch := await asyncio.to_thread(lambda: list(islice(lines, _BATCH))):
            under_way.append((batch, asyncio.create_task(self._submit(batch))))
            if len(under_way) == _IN_FLIGHT:
                yield await self._settle(*under_way.popleft())
        while under_way:
            yield await self._settle(*under_way.popleft())

    async def _submit(self, batch: Sequence[_Line]) -> Sequence[Outcome]:
        jobs = [line.job for line in batch if isinstance(line.job, NewJob)]
        try:
            submitted: Iterator[Outcome] = iter(await self._session.client.submit_many(jobs))
        except SubmitFailed as error:
            submitted = iter(error.outcomes)
        return [next(submitted) if isinstance(line.job, NewJob) else line.job for line in batch]

    async def _settle(self, batch: Sequence[_Line], task: "asyncio.Task[Sequence[Outcome]]") -> int:
        for line, outcome in zip(batch, await task, strict=True):
            if isinstance(outcome, GoTaskError):
                self._refuse(line.number, outcome)
            else:
                self.taken.append(outcome.id)
            if self._session.out.json:
                self._session.out.line(orjson.dumps(_document(line.number, outcome)))
        return len(batch)

    def _refuse(self, number: int, error: GoTaskError) -> None:
        self.refused += 1
        code = exit_of(error)
        self.code = Exit.LATER if Exit.LATER in (code, self.code) else Exit.REFUSED
        if self.refused <= _TOLD and not self._session.out.json:
            self._session.out.note(f"line {number}: {error}")
        elif self.refused == _TOLD + 1 and not self._session.out.json:
            self._session.out.note("... and more: --json tells of each line")


def _document(number: int, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, GoTaskError):
        return {
            "line": number,
            "error": {"code": outcome.code, "field": outcome.field or None, "message": outcome.message},
        }
    return {"line": number, "id": outcome.id, "submission": outcome.submission, "status": outcome.job.status}


def _opened(file: Path) -> AbstractContextManager[IO[bytes]]:
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="--file") from None


def _numbered(lines: IO[bytes]) -> Iterator[_Line]:
    for number, text in enumerate(lines, 1):
        if text.strip():
            yield _Line(number, _job(text))


def _job(text: bytes) -> NewJob[Any] | GoTaskError:
    try:
        document = orjson.loads(text)
        if not isinstance(document, dict):
            return InvalidArgument("is not a JSON object")
        return NewJob.from_document(document)
    except orjson.JSONDecodeError as error:
        return InvalidArgument(f"is not JSON: {error}")
    except InvalidArgument as error:
        return error
