"""Handlers that run in the process pool. A child imports this module, so all of them stand at its top."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gotask.sdk import App, JobContext, Middleware, NoRetry, Retry

app = App(no_retry_on=(KeyError,))


class Size(BaseModel):
    width: int


@app.job("pid", process=True)
def pid() -> int:
    return os.getpid()


@app.job("resize", process=True)
async def resize(context: JobContext, size: Size) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"width": size.width, "attempt": context.attempt, "for": context.metadata["customer"]}


@app.job("crash", process=True)
def crash(how: str) -> None:
    if how == "segfault":
        ctypes.string_at(0)
    elif how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


@app.job("raise", process=True)
def fail(how: str) -> None:
    if how == "exit":
        sys.exit("leaving")
    if how == "retry":
        raise Retry("not yet", after=90)
    if how == "never":
        raise NoRetry("hopeless")
    if how == "declared":
        raise KeyError("known to be hopeless")
    raise ValueError("wrong")


@app.job("report", process=True)
def report(context: JobContext, go_on: str) -> None:
    for percent in range(100_001):
        context.progress(percent / 1000, f"at {percent}")
    while not Path(go_on).exists():
        time.sleep(0.01)


@app.job("stubborn", process=True)
def stubborn(started: str) -> None:
    """Heeds nothing, and has started a program of its own."""
    program = subprocess.Popen(["sleep", "300"])
    _write_whole(started, f"{os.getpid()} {program.pid}")
    while True:
        try:
            time.sleep(300)
        except BaseException:
            continue


@app.job("tidy", process=True)
def tidy(started: str, tidied: str) -> None:
    try:
        _write_whole(started, str(os.getpid()))
        time.sleep(300)
    finally:
        _write_whole(tidied, "yes")


@app.job("tidy.async", process=True)
async def tidy_async(context: JobContext, started: str, tidied: str) -> None:
    try:
        _write_whole(started, str(os.getpid()))
        await asyncio.sleep(300)
    finally:
        _write_whole(tidied, str(context.cancelled))


@app.job("hungry", process=True)
def hungry(megabytes: int) -> int:
    taken = bytearray(megabytes << 20)
    taken[::4096] = b"x" * len(taken[::4096])
    return os.getpid()


def _write_whole(path: str, text: str) -> None:
    """Readers see all of it, or nothing."""
    draft = Path(f"{path}.draft")
    draft.write_text(text)
    draft.rename(path)


class Observer(Middleware):
    """Writes into the file that the job's metadata names."""

    started = False

    def after_process_start(self) -> None:
        self.started = True

    def before_job(self, context: JobContext) -> None:
        _add_line(context, f"process_started={self.started} before {context.type}")

    async def after_job(self, context: JobContext, result: Any, error: BaseException | None) -> None:
        _add_line(context, f"after {result} {error}")

    def on_failure(self, context: JobContext, error: BaseException) -> None:
        failures.append(error)


failures: list[BaseException] = []
observed = App(middleware=[Observer()])


@observed.job("observed", process=True)
def observed_job(context: JobContext, how: str = "") -> int:
    if how == "raise":
        raise ValueError("wrong")
    if how == "crash":
        os._exit(1)
    return os.getpid()


def _add_line(context: JobContext, text: str) -> None:
    with Path(context.metadata["diary"]).open("a") as diary:
        diary.write(f"{os.getpid()} {text}\n")
