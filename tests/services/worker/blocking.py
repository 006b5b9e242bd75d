"""A handler that nobody should write."""

import time

from gotask.sdk import App, JobContext

app = App()


@app.job("blocking")
async def blocking(context: JobContext) -> int:
    if context.attempt == 1:
        time.sleep(6)  # noqa: ASYNC251
    return context.attempt
