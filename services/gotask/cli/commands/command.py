"""How a command is declared: what it takes, and what all of them take."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import typer

Body = Callable[..., Awaitable[int | None]]
Options = Mapping[str, Any]
"""Options that need not be given, by their names; each value is an annotation."""

_PANEL = "Where GoTask is"

_COMMON: dict[str, Any] = {
    "url": Annotated[
        str,
        typer.Option(
            "--url",
            envvar="GOTASK_URL",
            help="nats://host:port, or a gateway's grpc://host:port or grpcs://host:port. "
            "NATS as GOTASK_NATS_URL says, if not given.",
            rich_help_panel=_PANEL,
        ),
    ],
    "namespace": Annotated[
        str, typer.Option(envvar="GOTASK_NAMESPACE", help="NATS: GoTask's namespace.", rich_help_panel=_PANEL)
    ],
    "api_key": Annotated[
        str, typer.Option(envvar="GOTASK_API_KEY", help="gRPC: an API key or a token.", rich_help_panel=_PANEL)
    ],
    "answer_within": Annotated[
        str, typer.Option(help="How long GoTask may take to answer.", metavar="DURATION", rich_help_panel=_PANEL)
    ],
    "json": Annotated[bool, typer.Option("--json", help="Print JSON, as REST has it.")],
}
_DEFAULTS = {"url": "", "namespace": "", "api_key": "", "answer_within": "10s", "json": False}


def command(app: typer.Typer, name: str, options: Options | None = None) -> Callable[[Body], Body]:
    """Declares a coroutine function as the command *name* of *app*.

    Its first parameter is the :class:`~gotask.cli.commands.session.Session`; it returns an exit code, or None for 0.
    Those of *options* that were given come as keyword arguments. The options that all commands have are added.
    """

    def declare(body: Body) -> Body:
        own = [
            each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for each in list(inspect.signature(body).parameters.values())[1:]
            if each.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        own += [_parameter(each, annotation, None) for each, annotation in (options or {}).items()]
        common = [_parameter(each, annotation, _DEFAULTS[each]) for each, annotation in _COMMON.items()]

        def run(**given: Any) -> None:
            from gotask.cli.commands.session import run_command

            shared = {each: given.pop(each) for each in _COMMON}
            for each in options or ():
                if given[each] in (None, []):
                    del given[each]
            raise typer.Exit(run_command(body, given, **shared))

        run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in (*own, *common)}
        run.__doc__ = body.__doc__
        app.command(name)(run)
        return body

    return declare


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
