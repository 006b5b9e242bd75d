"""Structured logs: JSON for machines, colours on a terminal."""

import logging
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import structlog

About = Callable[[], Mapping[str, Any]]

about: ContextVar[About | None] = ContextVar("about", default=None)
"""What this task or thread works on: its fields are added to every line that is logged there, by whatever logger. A
function, so that who logs nothing pays nothing for them."""

_CHATTY = ("asyncio", "grpc", "httpx", "nats", "opentelemetry", "uvicorn")
"""Loggers of libraries that are heard from a warning on."""


def configure_logging(service: str, level: str, log_format: str) -> None:
    """Sets up structlog, and sends the standard library's loggers, those of handlers and of libraries, the same way."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_about,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    finish: list[Any] = [structlog.processors.format_exc_info, renderer] if as_json else [renderer]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _add_about(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    fields = about.get()
    if fields is not None:
        for name, value in fields().items():
            event.setdefault(name, value)
    return event


def _named(service: str) -> Any:
    def add(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        event.setdefault("service", service)
        return event

    return add
