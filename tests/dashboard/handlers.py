"""Handlers with something to look at, for a worker of its own: ``gotask worker tests.dashboard.handlers:app``."""

import asyncio
from pathlib import Path
from typing import Any

from gotask.sdk import App, JobContext, NoRetry

app = App()


@app.job("echo")
async def echo(payload: Any) -> Any:
    return payload


@app.job("break")
async def broken(message: str) -> None:
    raise NoRetry(message)


@app.job("follow")
async def follow(context: JobContext, path: str) -> str:
    """Tells as its progress what stands in a file, until it is 100."""
    seen = 0
    while seen < 100:
        text = await asyncio.to_thread(_read, Path(path))
        if text and int(text) != seen:
            seen = int(text)
            context.progress(seen, "following")
        await asyncio.sleep(0.02)
    return "followed"


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
