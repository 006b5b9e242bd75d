"""How requests come and answers go: packed, over TLS, from web pages; and what becomes of the slow and the large."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import orjson
import pytest
import pytest_asyncio

from gotask import v1
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.certificates import Authority
from tests.services.gateway.grpc_support import jobs, new_job
from tests.services.gateway.support import API, Door, gateway, problem
from tests.support.servers import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

JOB = b'{"type": "echo", "payload": "' + b"x" * 3_000 + b'"}'
ORIGIN = "https://app.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server) -> AsyncIterator[Door]:
    """Without a queue-manager: jobs are accepted."""
    settings = {
        "submit_reply_timeout": 0.05,
        "max_body_bytes": 10_000,
        "request_timeout": 0.3,
        "max_connections": 20,
        "cors_origins": f"{ORIGIN}, https://other.example",
    }
    async with gateway(nats.address, "transport", MemoryStorage(), **settings) as opened:
        yield opened


async def send(door: Door, content: bytes, encoding: str) -> httpx.Response:
    return await door.http.post(f"{API}/jobs", content=content, headers={"Content-Encoding": encoding})


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "identity"])
async def test_a_body_may_be_packed(door: Door, encoding: str) -> None:
    body = JOB if encoding == "identity" else gzip.compress(JOB)
    assert (await send(door, body, encoding)).status_code == 202


async def test_a_packed_body_may_come_in_pieces(door: Door) -> None:
    packed = gzip.compress(JOB)

    async def pieces() -> AsyncIterator[bytes]:
        for index in range(len(packed)):
            yield packed[index : index + 1]

    answer = await door.http.post(f"{API}/jobs", content=pieces(), headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * 1_000_000_000), "gzip", 413),
        (gzip.compress(b" " * 10_001), "gzip", 413),
        (gzip.compress(JOB)[:-1], "gzip", 400),
        (gzip.compress(JOB) + b"x", "gzip", 400),
        (JOB, "gzip", 400),
        (zlib.compress(JOB), "deflate", 415),
        (JOB, "br", 415),
    ],
    ids=["bomb", "long", "cut", "tail", "plain", "deflate", "br"],
)
async def test_what_cannot_be_unpacked(door: Door, body: bytes, encoding: str, status: int) -> None:
    problem(await send(door, body, encoding), status)
    batch = await door.http.post(f"{API}/queues", content=body, headers={"Content-Encoding": encoding})
    problem(batch, status)


async def test_long_answers_are_packed_for_those_who_can_unpack(door: Door) -> None:
    for path in ("/openapi.json", "/docs"):
        packed = await door.http.get(path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in (await door.http.get(path, headers={"Accept-Encoding": "identity"})).headers
    long = await door.http.post(f"{API}/jobs", content=JOB, headers={"Accept-Encoding": "gzip"})
    short = await door.http.post(f"{API}/jobs", content=b'{"type": "a"}', headers={"Accept-Encoding": "gzip"})
    assert (long.headers.get("content-encoding"), short.headers.get("content-encoding")) == ("gzip", None)
    assert long.json()["payload"] == "x" * 3_000


async def test_web_pages_of_named_origins_may_call(door: Door) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    allowed = await door.http.options(f"{API}/jobs", headers={"Origin": ORIGIN, **asked})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, ORIGIN)
    answer = await door.http.post(f"{API}/jobs", content=b"{}", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    stranger = await door.http.options(f"{API}/jobs", headers={"Origin": "https://evil.example", **asked})
    assert stranger.status_code == 400
    assert "access-control-allow-origin" not in stranger.headers


async def raw(door: Door, *pieces: bytes, pause_s: float = 0) -> bytes:
    """Sends *pieces* and returns all that comes until the server closes."""
    reader, writer = await asyncio.open_connection(door.http.base_url.host, door.http.base_url.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    """Of an answer that is a problem document."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert b"application/problem+json" in head
    assert orjson.loads(body)["status"] == status
    return status


HEAD = b"POST /api/v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n"


async def test_a_request_that_does_not_arrive_in_time_is_ended(door: Door) -> None:
    assert status_of(await raw(door, HEAD)) == 408
    assert status_of(await raw(door, HEAD + b"\r\n")) == 408
    assert status_of(await raw(door, HEAD + b"\r\n", *([b" "] * 8), pause_s=0.05)) == 408
    assert await raw(door) == b""


async def test_a_head_has_a_limit(door: Door) -> None:
    assert status_of(await raw(door, b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n")) == 431
    assert status_of(await raw(door, HEAD, *([b"a: " + b"b" * 4_000 + b"\r\n"] * 10))) == 431


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff" * 50, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00"]
)
async def test_what_is_not_http(door: Door, garbage: bytes) -> None:
    assert status_of(await raw(door, garbage)) == 400


async def test_there_is_room_for_so_many_connections(door: Door) -> None:
    opened = [await asyncio.open_connection(door.http.base_url.host, door.http.base_url.port) for _ in range(20)]
    try:
        refused = await raw(door)
        assert status_of(refused) == 503
        assert b"\r\nretry-after: 2\r\n" in refused
    finally:
        for _, writer in opened:
            writer.close()

    async def room() -> bool:
        return (await door.http.get("/health")).status_code == 200

    await wait_until(room, "others are served again")


async def test_tls_on_both_doors(nats: Server, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("gateway")
    settings = {"tls_cert": certificate, "tls_key": key, "tls_client_ca": str(authority.file)}
    async with gateway(nats.address, "transport", MemoryStorage(), submit_reply_timeout=0.05, **settings) as door:
        port = door.http.base_url.port
        context = ssl.create_default_context(cafile=str(authority.file))
        with pytest.raises(httpx.HTTPError):
            await door.http.get("/health")
        async with httpx.AsyncClient(verify=context) as stranger:
            with pytest.raises(httpx.HTTPError):
                await stranger.get(f"https://127.0.0.1:{port}/health")
        client_certificate, client_key = authority.issue("client")
        context.load_cert_chain(client_certificate, client_key)
        async with httpx.AsyncClient(verify=context) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/health")).status_code == 200
        credentials = grpc.ssl_channel_credentials(*map(_read, (str(authority.file), client_key, client_certificate)))
        async with grpc.aio.secure_channel(door.grpc_target, credentials) as channel:
            answer = await jobs(channel).SubmitJob(new_job())
            assert answer.submission == v1.SUBMISSION_ACCEPTED


def _read(file: str) -> bytes:
    return Path(file).read_bytes()


async def test_a_certificate_that_is_none_is_named(nats: Server, tmp_path: Path) -> None:
    certificate, _ = Authority(tmp_path).issue("gateway")
    with pytest.raises(OSError, match=r"gateway\.pem and .* are no certificate and its key"):
        async with gateway(nats.address, "transport", MemoryStorage(), tls_cert=certificate, tls_key=certificate):
            pass
