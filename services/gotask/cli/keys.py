"""``gotask keys``: the API keys that gateways ask for. What reads them is imported when a command runs."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Column, Table

from gotask.gateway.access.caller import Scope
from gotask.jobs.durations import parse_us

if TYPE_CHECKING:
    from gotask.gateway.access.keys import KeyRecord

app = typer.Typer(help="Creates, lists and revokes the API keys that gateways ask for.", no_args_is_help=True)

_File = Annotated[
    Path, typer.Option("--file", envvar="GOTASK_API_KEYS_FILE", help="Where gateways look for the hashes of keys.")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, for logs and lists.")],
    file: _File,
    scope: Annotated[list[Scope], typer.Option(help="What it may be used for. Repeat it for several.")],
    queue: Annotated[list[str] | None, typer.Option(help="Only for this queue. Repeat it for several.")] = None,
    rate: Annotated[float | None, typer.Option(min=0, help="Calls per second; 0: no limit.")] = None,
    expires_in: Annotated[str, typer.Option(help='How long it is good, such as "90d"; for ever, if not given.')] = "",
) -> None:
    """Prints a new key. It is shown now and never again; the file holds its hash."""
    from pydantic import ValidationError

    from gotask.gateway.access.keys import KeyFile, KeyFileUnreadable

    now_us = time.time_ns() // 1000
    try:
        expires_at_us = now_us + parse_us(expires_in) if expires_in else 0
        made = KeyFile(file).create(name, scope, queue or None, rate, now_us, expires_at_us)
    except ValidationError as error:
        first = error.errors()[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, OSError, KeyFileUnreadable) as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(made.text)


@app.command("list")
def list_keys(
    file: _File, as_json: Annotated[bool, typer.Option("--json", help="For programs to read.")] = False
) -> None:
    """Shows the keys, but not what they are."""
    records = _read(file)
    if as_json:
        typer.echo(orjson.dumps([record.model_dump(exclude={"sha256"}) for record in records]))
        return
    table = Table(Column("id", no_wrap=True), "name", "scopes", "queues", "rate", "created", "expires")
    for record in records:
        table.add_row(
            record.id,
            record.name,
            " ".join(record.scopes),
            " ".join(record.queues or ["all"]),
            "gateway's" if record.rate is None else f"{record.rate:g}/s",
            _moment(record.created_at_us),
            _moment(record.expires_at_us) if record.expires_at_us else "never",
        )
    Console().print(table)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="As `gotask keys list` shows it.")], file: _File) -> None:
    """Makes a key worthless. Gateways that see the file know it a second later."""
    from gotask.gateway.access.keys import KeyFile, KeyFileUnreadable

    try:
        found = KeyFile(file).revoke(key_id)
    except (OSError, KeyFileUnreadable) as error:
        raise typer.BadParameter(str(error)) from None
    if not found:
        raise typer.BadParameter(f"there is no key {key_id!r}")
    typer.echo(f"revoked {key_id}")


def _read(file: Path) -> "list[KeyRecord]":
    from gotask.gateway.access.keys import KeyFile, KeyFileUnreadable

    try:
        return KeyFile(file).read()
    except KeyFileUnreadable as error:
        raise typer.BadParameter(str(error)) from None


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M")
