"""Options and arguments as they are written in a shell, and as the client takes them."""

import sys
from typing import Any

import typer


def json_argument(text: str) -> Any:
    """A payload; ``-`` stands for standard input."""
    import orjson

    if text == "-":
        text = sys.stdin.read()
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"is not JSON: {error}", param_hint="PAYLOAD") from None


def fields_as_written(options: dict[str, Any]) -> dict[str, Any]:
    """A job's options: tags and metadata together, each from what was repeated."""
    fields = dict(options)
    if "tag" in fields:
        fields["tags"] = fields.pop("tag")
    if "metadata" in fields:
        fields["metadata"] = dict(map(_pair, fields["metadata"]))
    return fields


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--metadata")
    return name, value
