"""What a command has while it runs, and how its end is told."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
import typer
import uvloop

from gotask.cli.commands.exits import Exit, exit_of
from gotask.cli.commands.output import Output
from gotask.sdk.client.client import Client
from gotask.sdk.errors import GoTaskError

_FLAGS = {"url": "--url (GOTASK_URL)", "timeout": "--answer-within", "namespace": "--namespace (GOTASK_NAMESPACE)"}


@dataclass(frozen=True, slots=True)
class Session:
    """A client, and where to print."""

    client: Client
    out: Output


def run_command(
    body: Callable[..., Awaitable[int | None]],
    arguments: Mapping[str, Any],
    *,
    url: str,
    namespace: str,
    api_key: str,
    answer_within: str,
    json: bool,
) -> int:
    """Runs the command; its exit code."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

    async def run() -> int:
        client = Client(url, namespace=namespace, timeout=answer_within, api_key=api_key)
        try:
            return await body(Session(client, Output(json=json)), **arguments) or Exit.DONE
        finally:
            await client.close()

    try:
        return uvloop.run(run())
    except GoTaskError as error:
        typer.echo(f"gotask: {told(error, arguments)}", err=True)
        return exit_of(error)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough.
        sys.stderr.close()
        return Exit.DONE


def told(error: GoTaskError, arguments: Mapping[str, Any]) -> str:
    """The error, with the flag in place of the field where the command has one for it."""
    if error.field in _FLAGS:
        return f"{_FLAGS[error.field]}: {error.message}"
    if error.field in arguments:
        return f"--{error.field.replace('_', '-')}: {error.message}"
    return str(error)
