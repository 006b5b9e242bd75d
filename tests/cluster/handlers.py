"""A handler that writes down each of its runs: ``gotask worker tests.cluster.handlers:app``."""

import os

from gotask.sdk import App, JobContext

app = App()
_runs = os.open(os.environ["GOTASK_TEST_RUNS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


@app.job("record")
async def record(context: JobContext) -> None:
    os.write(_runs, f"{context.job_id}\n".encode())
