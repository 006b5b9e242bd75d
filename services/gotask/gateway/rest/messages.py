"""Bodies in, documents out."""

import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gotask.gateway.rest.problems import Problem, problem_of

_GZIP = 31
"""zlib's number for gzip with its largest window."""

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, whatever its Content-Type says, unpacked where its Content-Encoding is gzip.

    413 as soon as it is longer than *limit* bytes, packed or unpacked; 415 for another encoding.
    """
    encoding = header(request, b"content-encoding")
    if encoding and encoding.lower() != "identity":
        return await _unpacked(request, encoding, limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        chunk, more = await _next_chunk(request)
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_long(limit)
    return b"".join(chunks)


async def _next_chunk(request: Request) -> tuple[bytes, bool]:
    """And whether there are more."""
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


async def _unpacked(request: Request, encoding: str, limit: int) -> bytes:
    """Unpacks no more than *limit* bytes, however small the packed body is."""
    if encoding.lower() != "gzip":
        raise Problem(
            415, f"Content-Encoding {encoding[:32]!r} is not known; use gzip", headers={"Accept-Encoding": "gzip"}
        )
    unpacker = zlib.decompressobj(_GZIP)
    body = bytearray()
    more = True
    try:
        while more:
            chunk, more = await _next_chunk(request)
            body += unpacker.decompress(chunk, limit + 1 - len(body))
            if len(body) > limit:
                raise _too_long(limit)
    except zlib.error as error:
        raise Problem(400, f"the body is not gzip: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise Problem(400, "the body is not one whole gzip member")
    return bytes(body)


def _too_long(limit: int) -> Problem:
    return Problem(413, f"the body is longer than {limit} bytes")


def header(request: Request, name: bytes) -> str | None:
    """A header by its lower-case *name*. At a third of the cost of ``request.headers``."""
    for key, value in request.scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


def parse(model: type[Model], body: bytes) -> Model:
    """*body* as *model*; a Problem names what is wrong, and where."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise problem_of(error) from None


def respond(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """*document* as JSON."""
    return Response(orjson.dumps(document), status, headers, media_type="application/json")
