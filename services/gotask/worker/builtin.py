"""Handlers that show what GoTask does, and with which it is tried out."""

import asyncio
import math
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from gotask.sdk import App, JobContext, NoRetry
from gotask.worker.settings import WorkerSettings

Number = int | float

_OPERATIONS: dict[str, Callable[[Number, Number], Number]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}


def builtin_app(settings: WorkerSettings) -> App:
    """The example handlers: echo, math, sleep, fail, report, email."""
    app = App()

    @app.job("echo")
    async def echo(payload: Any) -> Any:
        return payload

    @app.job("math")
    async def calculate(operation: str, a: Number, b: Number) -> Number:
        return _calculate(operation, a, b)

    @app.job("sleep")
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)

    @app.job("fail")
    async def fail(context: JobContext, times: int, message: str = "failing as asked") -> dict[str, int]:
        if context.attempt <= times:
            raise RuntimeError(f"{message} (attempt {context.attempt} of {times} that fail)")
        return {"attempts": context.attempt}

    @app.job("report")
    async def report(context: JobContext, **payload: Any) -> dict[str, Any]:
        context.progress(100, "written")
        return {"report": payload.get("type", "general"), "job_id": context.job_id, "parameters": payload}

    @app.job("email")
    def email(to: str, subject: str, body: str) -> dict[str, str]:
        return _send(settings, to, subject, body)

    return app


def _calculate(operation: str, a: Number, b: Number) -> Number:
    if operation not in _OPERATIONS:
        raise NoRetry(f"payload.operation: {operation!r} is not known; use {', '.join(_OPERATIONS)}")
    try:
        result = _OPERATIONS[operation](a, b)
    except (ArithmeticError, ValueError) as error:
        raise NoRetry(f"{operation} of {a} and {b}: {error}") from None
    if isinstance(result, float) and not math.isfinite(result):
        raise NoRetry(f"{operation} of {a} and {b} is not finite")
    return result


def _send(settings: WorkerSettings, to: str, subject: str, body: str) -> dict[str, str]:
    if not settings.smtp_host:
        raise NoRetry("no mail server is configured: set GOTASK_SMTP_HOST for the worker")
    message = EmailMessage()
    try:
        message["From"], message["To"], message["Subject"] = settings.smtp_from, to, subject
    except ValueError as error:
        raise NoRetry(f"not a message that can be sent: {error}") from None
    message.set_content(body)
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=30) as server:
        if settings.smtp_tls:
            server.starttls()
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
        server.send_message(message)
    return {"sent_to": to}
