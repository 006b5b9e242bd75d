"""The command line. Each command imports what it needs when it runs: a worker carries no web framework."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from gotask.cli import keys
from gotask.cli import storage as storage_commands
from gotask.cli.commands import dead, jobs, queues, schedules, workers
from gotask.cli.commands.events import add_events
from gotask.cli.commands.submit import add_submit
from gotask.cli.commands.top import add_top
from gotask.cli.up.options import UpOptions

app = typer.Typer(
    name="gotask",
    help="A distributed task queue over NATS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

_SERVICES = {
    "gateway": "The door: REST and gRPC.",
    "queue-manager": "Owns jobs and queues.",
    "scheduler": "Owns schedules; says when jobs are due.",
    "worker": "Runs the handlers of MODULE:APP ..., or the built-in ones.",
    "metrics": "Counts what happened.",
}


def _add_service(name: str, text: str) -> None:
    @app.command(name, help=f"{text} Its flags are its settings: see --help.", context_settings=_PASS_ON)
    def run(context: typer.Context) -> None:
        module = importlib.import_module(f"gotask.{name.replace('-', '_')}.main")
        raise typer.Exit(module.main(context.args))


for _name, _text in _SERVICES.items():
    _add_service(_name, _text)


app.add_typer(keys.app, name="keys")
add_submit(app)
app.add_typer(jobs.app, name="jobs")
app.add_typer(queues.app, name="queues")
app.add_typer(schedules.app, name="schedules")
app.add_typer(dead.app, name="dead")
app.add_typer(workers.app, name="workers")
add_events(app)
add_top(app)
app.add_typer(storage_commands.app, name="storage")


@app.command()
def version() -> None:
    """Prints the version."""
    from importlib.metadata import version as installed_version

    typer.echo(installed_version("gotask"))


_UP = UpOptions()
_PORT_HELP = "0: any that is free."


@app.command()
def up(
    storage: Annotated[str, typer.Option(help="redis, postgres, or memory (in one process).")] = _UP.storage,
    data: Annotated[Path, typer.Option(help="Where the servers keep their data.")] = _UP.data,
    nats_url: Annotated[str, typer.Option("--nats", envvar="GOTASK_NATS_URL", help="A running NATS.")] = _UP.nats_url,
    redis_addr: Annotated[str, typer.Option(envvar="GOTASK_REDIS_ADDR", help="A running Redis.")] = _UP.redis_addr,
    postgres_dsn: Annotated[
        str, typer.Option(envvar="GOTASK_POSTGRES_DSN", help="A running PostgreSQL.")
    ] = _UP.postgres_dsn,
    postgres_host: Annotated[
        str, typer.Option(envvar="GOTASK_POSTGRES_HOST", help="The same by its host; see the settings of a service.")
    ] = _UP.postgres_host,
    nats_port: Annotated[int, typer.Option(help=_PORT_HELP)] = _UP.nats_port,
    redis_port: Annotated[int, typer.Option(help=_PORT_HELP)] = _UP.redis_port,
    postgres_port: Annotated[int, typer.Option(help=_PORT_HELP)] = _UP.postgres_port,
    http_port: Annotated[int, typer.Option(envvar="GOTASK_HTTP_PORT", help=_PORT_HELP)] = _UP.http_port,
    grpc_port: Annotated[
        int | None, typer.Option(envvar="GOTASK_GRPC_PORT", help="50051, or any that is free, if not given.")
    ] = _UP.grpc_port,
    metrics_port: Annotated[int, typer.Option(envvar="GOTASK_METRICS_PORT", help=_PORT_HELP)] = _UP.metrics_port,
    dashboard_port: Annotated[
        int | None,
        typer.Option(envvar="GOTASK_DASHBOARD_PORT", help="3000, or any that is free, if not given."),
    ] = _UP.dashboard_port,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = _UP.workers,
    queue_managers: Annotated[int, typer.Option(min=1, help="Queue-manager processes.")] = _UP.queue_managers,
    worker_app: Annotated[str, typer.Option("--app", help="Your handlers, as module:app.")] = _UP.worker_app,
    queues: Annotated[
        str, typer.Option(help="What the workers serve; what your handlers name, if not given.")
    ] = _UP.queues,
    concurrency: Annotated[int, typer.Option(min=1, help="Jobs that each worker runs at once.")] = _UP.concurrency,
) -> None:
    """Starts NATS, Valkey or PostgreSQL, and the five services; Ctrl-C stops them."""
    from gotask.cli.up.run import run_up

    if storage not in ("redis", "postgres", "memory"):
        raise typer.BadParameter(f"{storage!r} is not known; use redis, postgres or memory", param_hint="--storage")
    raise typer.Exit(
        run_up(
            UpOptions(
                storage=storage,
                data=data,
                nats_url=nats_url,
                redis_addr=redis_addr,
                postgres_dsn=postgres_dsn,
                postgres_host=postgres_host,
                nats_port=nats_port,
                redis_port=redis_port,
                postgres_port=postgres_port,
                http_port=http_port,
                grpc_port=grpc_port,
                metrics_port=metrics_port,
                dashboard_port=dashboard_port,
                workers=workers,
                queue_managers=queue_managers,
                worker_app=worker_app,
                queues=queues,
                concurrency=concurrency,
            )
        )
    )


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the jobs; exit 1 if one did not end well.")] = False,
    data: Annotated[Path, typer.Option(help="Where the servers keep their data.")] = Path(".gotask/demo"),
) -> None:
    """Starts everything, runs example jobs through REST, shows them move, and stays up."""
    from gotask.cli.demo.run import run_demo

    raise typer.Exit(run_demo(data, once=once))
