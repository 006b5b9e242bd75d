"""What users of GoTask import.

    from gotask.sdk import App

    app = App()

    @app.job("image.resize")
    async def resize(url: str, width: int) -> dict[str, str]:
        ...

Run it with ``gotask worker mymodule:app``.
"""

from gotask.sdk.app import App, Handler
from gotask.sdk.context import JobContext
from gotask.sdk.errors import Cancelled, NoRetry, ProcessCrashed, RemoteError, Retry, Timeout
from gotask.sdk.middleware import Middleware

__all__ = [
    "App",
    "Cancelled",
    "Handler",
    "JobContext",
    "Middleware",
    "NoRetry",
    "ProcessCrashed",
    "RemoteError",
    "Retry",
    "Timeout",
]
