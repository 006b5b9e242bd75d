"""Handlers that log and make spans, for a worker of its own: ``gotask worker tests.observability.handlers:app``."""

import logging

import structlog
from opentelemetry import trace

from gotask.sdk import App, JobContext, NoRetry

app = App()
tracer = trace.get_tracer(__name__)


@app.job("flaky")
async def flaky(context: JobContext) -> int:
    with tracer.start_as_current_span("look it up"):
        if context.attempt == 1:
            raise ConnectionError("the first attempt fails")
    return context.attempt


@app.job("threaded")
def threaded() -> None:
    with tracer.start_as_current_span("in a thread"):
        pass


@app.job("talkative")
async def talkative(context: JobContext) -> None:
    _talk(context)


@app.job("talkative_thread")
def talkative_thread(context: JobContext) -> None:
    _talk(context)


def _talk(context: JobContext) -> None:
    context.logger.info("by the context's logger", extra_field=1)
    structlog.get_logger("mine").info("by structlog")
    logging.getLogger("mine").info("by the standard %s", "library", extra={"extra_field": 2})


@app.job("leaky")
async def leaky(password: str, context: JobContext) -> None:
    if context.attempt == 1:
        raise ValueError(f"cannot log in with {password}")
    raise NoRetry(f"nor with {password}")
