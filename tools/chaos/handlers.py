"""What the workers of a chaos run do. Every result says in which of its job's tries it was made."""

import asyncio
import time

from gotask.sdk import App, JobContext, NoRetry

app = App()


@app.job("quick")
async def quick(context: JobContext) -> int:
    return context.attempt


@app.job("slow")
async def slow(context: JobContext, seconds: float) -> int:
    context.progress(50, "half of it")
    await asyncio.sleep(seconds)
    return context.attempt


@app.job("thread")
def thread(context: JobContext, seconds: float) -> int:
    time.sleep(seconds)
    return context.attempt


@app.job("process", process=True)
def process(context: JobContext, seconds: float) -> int:
    time.sleep(seconds)
    return context.attempt


@app.job("flaky")
async def flaky(context: JobContext, failures: int) -> int:
    if context.attempt <= failures:
        raise RuntimeError(f"failure {context.attempt} of {failures}")
    return context.attempt


@app.job("hopeless")
async def hopeless() -> None:
    raise NoRetry("this will never do")
