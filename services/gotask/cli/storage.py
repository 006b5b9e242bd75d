"""``gotask storage``: what an operator does with the storage itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from gotask.storage.postgres import PostgresStorage

app = typer.Typer(help="Looks after the storage: the schema of its database.", no_args_is_help=True)

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASS_ON)
def migrate(context: typer.Context) -> None:
    """Brings the schema to this version, as every service does when it starts. Its flags are settings: see --help."""
    _run(context, _migrate)


@app.command(context_settings=_PASS_ON)
def status(context: typer.Context) -> None:
    """Shows what is applied; exits 1 when something is missing. Its flags are settings: see --help."""
    _run(context, _status)


def _run(context: typer.Context, action: "Callable[[PostgresStorage], Awaitable[int]]") -> None:
    from gotask.service.settings import InvalidSettings, StorageSettings
    from gotask.storage.contract import StorageError
    from gotask.storage.open import open_storage
    from gotask.storage.postgres import PostgresStorage

    try:
        settings = StorageSettings.load(context.args)
        storage = open_storage(settings)
    except (InvalidSettings, ValueError) as error:
        typer.echo(f"gotask storage: {error}", err=True)
        raise typer.Exit(2) from None
    if not isinstance(storage, PostgresStorage):
        typer.echo(f"The {settings.storage} storage has no schema; choose another with GOTASK_STORAGE.")
        return
    try:
        code = asyncio.run(_closing(storage, action))
    except StorageError as error:
        typer.echo(f"gotask storage: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(code)


async def _closing(storage: "PostgresStorage", action: "Callable[[PostgresStorage], Awaitable[int]]") -> int:
    try:
        return await action(storage)
    finally:
        await storage.close()


async def _migrate(storage: "PostgresStorage") -> int:
    applied = await storage.migrate()
    typer.echo(f"Applied: {', '.join(applied)}." if applied else "The schema is current.")
    return 0


async def _status(storage: "PostgresStorage") -> int:
    table = Table("version", "migration", "applied at", box=None)
    missing = False
    for migration in await storage.migrations():
        table.add_row(str(migration.version), migration.name, migration.applied_at or "not yet")
        missing = missing or not migration.applied_at
    Console(highlight=False).print(table)
    return int(missing)
