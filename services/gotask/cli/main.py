"""The command line. Each command imports what it needs when it runs: a worker carries no web framework."""

import importlib
from importlib.metadata import version as installed_version

import typer

app = typer.Typer(
    name="gotask",
    help="A distributed task queue over NATS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

_SERVICES = {
    "gateway": "The door: REST.",
    "queue-manager": "Owns jobs and queues.",
    "scheduler": "Says when jobs are due.",
    "worker": "Runs handlers: gotask worker [module:app] [flags].",
    "metrics": "Counts what happened.",
}


def _add_service(name: str, text: str) -> None:
    @app.command(name, help=f"{text} Its flags are its settings: see --help.", context_settings=_PASS_ON)
    def run(context: typer.Context) -> None:
        module = importlib.import_module(f"gotask.{name.replace('-', '_')}.main")
        raise typer.Exit(module.main(context.args))


for _name, _text in _SERVICES.items():
    _add_service(_name, _text)


@app.command()
def version() -> None:
    """Prints the version."""
    typer.echo(installed_version("gotask"))
