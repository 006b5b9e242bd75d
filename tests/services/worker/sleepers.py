"""Handlers that take their time, for workers that are told to stop meanwhile."""

import asyncio
import time
from pathlib import Path

from gotask.sdk import App, JobContext

app = App()
more = App()
rival = App()


@app.job("sleep")
async def sleep(started: str) -> None:
    await asyncio.to_thread(Path(started).touch)
    await asyncio.sleep(300)


@app.job("deaf")
def deaf(started: str) -> None:
    Path(started).touch()
    time.sleep(300)


@more.job("log", process=True)
def log(context: JobContext) -> None:
    context.logger.info("written by a handler", colour="red")


@more.job("add")
async def add(a: int, b: int) -> int:
    return a + b


rival.job("add")(add)
