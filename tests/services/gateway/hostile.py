"""Requests that nobody honest sends. Each has to be answered with a status from 400 to 499."""

import gzip
import random
from collections.abc import Callable, Iterator
from functools import cache

from tests.services.gateway.support import API

Request = list[bytes]
"""The pieces in which it is sent."""

_NUMBERS = ("-1e400", "1e999", "-" + "9" * 400, "NaN", "-Infinity", "0x10", "01", "-5")
_GARBAGE_PATHS = (
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/secret",
    f"{API}/jobs/%00",
    f"{API}/jobs/" + "%f0%9f%92%a9" * 50,
    f"{API}/queues/%ff%fe",
    f"{API}/queues/a%2fb%2fc",
    f"{API}/jobs/' OR 1=1 --".replace(" ", "%20"),
    f"{API}//jobs",
    f"{API}/jobs?limit=" + "9" * 5_000,
    f"{API}/jobs?cursor=" + "A" * 9_000,
    f"{API}/jobs?status=pending,,",
    f"{API}/jobs?created_from=9999999999999999999",
    f"{API}/jobs?limit=1&limit=2&nothing=1",
    f"{API}/events?cursor=" + "1" * 40,
    f"{API}/events?kind=%00",
)


def _http(method: str, path: str, body: bytes = b"", *headers: str) -> Request:
    lines = [f"{method} {path} HTTP/1.1", "host: x", f"content-length: {len(body)}", "connection: close", *headers]
    return ["\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body]


def _truncated(rand: random.Random) -> Request:
    body = b'{"type": "echo", "payload": {"list": [1, 2, {"deep": "text"}], "more": null}, "tags": ["a"]}'
    return _http("POST", f"{API}/jobs", body[: rand.randrange(1, len(body) - 1)])


def _flipped(rand: random.Random) -> Request:
    body = bytearray(b'{"type": "echo", "payload": "some text that is long enough to be hit"}')
    for _ in range(rand.randint(1, 5)):
        body[rand.randrange(len(body))] = rand.choice((0xFF, 0xC0, 0x00, 0x1F))
    return _http("POST", f"{API}/jobs", bytes(body))


def _noise(rand: random.Random) -> Request:
    return _http(
        "POST", rand.choice((f"{API}/jobs", f"{API}/jobs/batch", f"{API}/queues")), b"\x80" + rand.randbytes(400)
    )


def _number(rand: random.Random) -> Request:
    field = rand.choice(("priority", "max_retries", "timeout", "delay", "ttl", "scheduled_at", "tags", "metadata"))
    return _http("POST", f"{API}/jobs", f'{{"type": "a", "{field}": {rand.choice(_NUMBERS)}}}'.encode())


def _queue_number(rand: random.Random) -> Request:
    field = rand.choice(("max_workers", "max_length", "weight", "priority", "lease", "max_retries"))
    return _http("POST", f"{API}/queues", f'{{"name": "a", "{field}": {rand.choice(_NUMBERS)}}}'.encode())


def _deep(rand: random.Random) -> Request:
    depth = rand.choice((500, 5_000, 100_000))
    opening, closing = rand.choice(((b"[", b"]"), (b'{"a":', b"}")))
    middle = opening * depth + b"1" + (closing * depth if rand.random() < 0.5 else b"")
    return _http("POST", f"{API}/jobs", b'{"type": "a", "payload": ' + middle + b"}")


def _encoded(rand: random.Random) -> Request:
    text = '{"type": "écho", "payload": "ü"}'
    body = text.encode(rand.choice(("utf-16", "utf-32", "latin-1", "cp037")))
    return _http("POST", f"{API}/jobs", body)


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * 50_000_000, 9)


def _packed(rand: random.Random) -> Request:
    bomb = _bomb()
    body = rand.choice((bomb, b"\x1f\x8b" + rand.randbytes(50), bomb[:100], b"not gzip"))
    return _http("POST", f"{API}/jobs", body, "content-encoding: gzip")


def _strange_encoding(rand: random.Random) -> Request:
    return _http("POST", f"{API}/jobs", b"{}", f"content-encoding: {rand.choice(('br', 'x' * 200, 'gzip, gzip'))}")


def _oversize(rand: random.Random) -> Request:
    length = rand.choice((1 << 20, 1 << 22)) + 1
    return _http("POST", f"{API}/jobs", b'{"type": "a", "payload": "' + b"x" * length + b'"}')


def _many_fields(rand: random.Random) -> Request:
    fields = ",".join(f'"{rand.randbytes(8).hex()}": {i}' for i in range(5_000))
    return _http("POST", f"{API}/jobs", f"{{{fields}}}".encode())


def _large_batch(rand: random.Random) -> Request:
    return _http("POST", f"{API}/jobs/batch", b'{"jobs": [' + b",".join([b"{}"] * rand.randint(1_001, 5_000)) + b"]}")


def _long_key(rand: random.Random) -> Request:
    return _http("POST", f"{API}/jobs", b'{"type": "a"}', f"idempotency-key: {'k' * rand.randint(257, 8_000)}")


def _path(rand: random.Random) -> Request:
    return _http(rand.choice(("GET", "DELETE")), rand.choice(_GARBAGE_PATHS))


def _method(rand: random.Random) -> Request:
    return _http(
        rand.choice(("PATCH", "TRACE", "PROPFIND", "PUT")), rand.choice((f"{API}/jobs", "/health", f"{API}/workers"))
    )


def _many_headers(rand: random.Random) -> Request:
    headers = [f"x-{i}: {'v' * 200}" for i in range(rand.randint(200, 800))]
    return _http("GET", f"{API}/queues", b"", *headers)


def _long_head(rand: random.Random) -> Request:
    return [b"GET /" + b"a" * rand.randint(70_000, 300_000) + b" HTTP/1.1\r\nhost: x\r\n\r\n"]


def _no_http(rand: random.Random) -> Request:
    return [rand.choice((b"\x16\x03\x01" + rand.randbytes(60), b"\x00" * 100, b"GET\r\n\r\n", b"HELO me\r\n\r\n"))]


def _torn_chunks(rand: random.Random) -> Request:
    head = f"POST {API}/jobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return [head + rand.choice((b"zz\r\nx\r\n", b"-1\r\n", b"ffffffffffffffffff\r\nx"))]


KINDS: tuple[Callable[[random.Random], Request], ...] = (
    _truncated,
    _flipped,
    _noise,
    _number,
    _queue_number,
    _deep,
    _encoded,
    _packed,
    _strange_encoding,
    _oversize,
    _many_fields,
    _large_batch,
    _long_key,
    _path,
    _method,
    _many_headers,
    _long_head,
    _no_http,
    _torn_chunks,
)


def requests(count: int, seed: int) -> Iterator[tuple[str, Request]]:
    """Each with the name of its kind."""
    rand = random.Random(seed)
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        yield kind.__name__, kind(rand)


def slow(count: int) -> Iterator[tuple[str, Request]]:
    """Requests that never arrive whole."""
    head = f"POST {API}/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n".encode()
    for index in range(count):
        yield "slow", [head] if index % 2 else [head + b"\r\n{"]
