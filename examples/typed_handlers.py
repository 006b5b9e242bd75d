"""Handlers as typed functions: what a type checker knows of them. ``make lint`` checks every line of this file.

Run it as it is: it needs no servers.
"""

import asyncio
from dataclasses import dataclass
from typing import assert_type

from gotask.sdk import App, JobContext, NewJob, SyncClient
from gotask.sdk.client.handle import JobHandle
from gotask.sdk.testing import Sandbox

app = App()


@dataclass
class Image:
    url: str
    width: int


@app.job("image.resize", queue="images")
async def resize(url: str, width: int = 300) -> Image:
    """Runs on the worker's event loop."""
    return Image(url, width)


@app.job("image.report", max_retries=5)
async def report(context: JobContext, urls: list[str]) -> int:
    """The context is no argument of its jobs: the worker gives it."""
    context.progress(100, "counted")
    return len(urls)


@app.job("image.count")
def count(text: str) -> int:
    """Runs in a thread, since it is no coroutine function."""
    return len(text)


@app.job("image.describe")
def describe(context: JobContext, url: str) -> str:
    return f"{url}, attempt {context.attempt}"


@app.job("image.sum", process=True)
def total(widths: list[int]) -> float:
    """Runs in a process of its own."""
    return float(sum(widths))


async def submit_and_wait() -> None:
    job = await resize.submit(url="https://example.org/a.png", width=300)
    assert_type(job, JobHandle[Image])
    assert_type(await job.result(), Image)
    assert_type(await (await report.submit(urls=["a", "b"])).result(), int)
    assert_type(await (await count.submit("four")).result(), int)
    assert_type(await (await describe.submit(url="a")).result(), str)
    assert_type(await (await total.submit([1, 2])).result(), float)
    assert_type(await (await resize.options(queue="slow", delay=0).submit("b")).result(), Image)


def make_jobs(client: SyncClient) -> None:
    """Jobs may be made first and submitted later, many at once."""
    assert_type(resize.job(url="a"), NewJob[Image])
    assert_type(count.job("a"), NewJob[int])
    assert_type(client.submit(report.job(urls=[])).result(), int)


async def call_here() -> None:
    """A handler is still the function it was."""
    assert_type(await resize("a", width=1), Image)
    assert_type(count("a"), int)


async def mistakes() -> None:
    """Each of these is found by the type checker, and would be refused before anything is sent."""
    await resize.submit(url=1)  # type: ignore[call-overload]
    await resize.submit(link="a")  # type: ignore[call-overload]
    await report.submit(None, urls=[])  # type: ignore[call-overload]
    count.job()  # type: ignore[call-arg]
    resize.options(prioriti=3)  # type: ignore[call-arg]


async def main() -> None:
    async with Sandbox(app, eager=True):
        await submit_and_wait()
    await call_here()
    print("every job gave what its handler says")


if __name__ == "__main__":
    asyncio.run(main())
