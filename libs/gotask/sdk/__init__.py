"""What users of GoTask import.

    from gotask.sdk import App

    app = App()

    @app.job("image.resize")
    async def resize(url: str, width: int) -> dict[str, str]:
        ...

Run it with ``gotask worker mymodule:app``, and submit jobs to it:

    async with Client("nats://127.0.0.1:4222") as app.client:
        job = await resize.submit(url="https://...", width=300)
        print(await job.result())
"""

from gotask.sdk.app import App, Handler
from gotask.sdk.client.client import Client
from gotask.sdk.client.new_job import NewJob
from gotask.sdk.client.sync.client import SyncClient
from gotask.sdk.context import JobContext
from gotask.sdk.errors import Cancelled, NoRetry, ProcessCrashed, RemoteError, Retry, Timeout
from gotask.sdk.middleware import Middleware

__all__ = [
    "App",
    "Cancelled",
    "Client",
    "Handler",
    "JobContext",
    "Middleware",
    "NewJob",
    "NoRetry",
    "ProcessCrashed",
    "RemoteError",
    "Retry",
    "SyncClient",
    "Timeout",
]
