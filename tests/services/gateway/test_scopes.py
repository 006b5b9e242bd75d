"""Every call of every protocol with every scope: what is not allowed is refused."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import MagicMock

import grpc
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from google.protobuf.message_factory import GetMessageClass

from gotask.gateway.access.caller import Scope
from gotask.gateway.access.rules import GRPC, OPEN, REST
from gotask.gateway.rest.app import build_app
from gotask.gateway.settings import GatewaySettings
from gotask.service.clock import SystemClock
from gotask.storage.memory import MemoryStorage
from gotask.v1 import job_service_pb2, queue_service_pb2, schedule_service_pb2, worker_service_pb2
from tests.services.gateway.access_support import bearer, make_key, metadata
from tests.services.gateway.support import Door, gateway
from tests.support.servers import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "nobody"
DENIED = {401, 403}
FILES = (job_service_pb2, queue_service_pb2, schedule_service_pb2, worker_service_pb2)
METHODS = {
    f"/{service.full_name}/{method.name}": method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A key of each scope alone."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    return {"file": str(file), **{scope: make_key(file, scope) for scope in Scope}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server, keys: dict[str, str]) -> AsyncIterator[Door]:
    """Without a queue-manager: what is admitted fails soon, and changes nothing."""
    short = {"command_timeout": 0.01, "submit_reply_timeout": 0.01, "api_keys_file": keys["file"]}
    async with gateway(nats.address, "scopes", MemoryStorage(), **short) as opened:
        yield opened


def routes(app: Any) -> Iterator[str]:
    while not hasattr(app, "router"):
        app = app._app
    for route in app.router.routes:
        if isinstance(route, APIRoute):
            yield from (f"{method} {route.path}" for method in route.methods or ())


async def test_every_call_has_a_rule() -> None:
    app: Any = build_app(GatewaySettings.load(), SystemClock(), MagicMock(), MagicMock())
    assert set(routes(app)) <= REST.keys() | OPEN
    assert GRPC.keys() == METHODS.keys()


@pytest.mark.parametrize("who", [*Scope, NOBODY])
@pytest.mark.parametrize("call", REST)
async def test_rest(door: Door, keys: dict[str, str], call: str, who: str) -> None:
    method, path = call.split()
    headers = {} if who == NOBODY else bearer(keys[who])
    place = path.replace("{", "").replace("}", "")
    async with door.http.stream(method, place, headers=headers) as response:
        if who == REST[call]:
            assert response.status_code not in DENIED
        else:
            assert response.status_code == (401 if who == NOBODY else 403)
            assert ("www-authenticate" in response.headers) == (who == NOBODY)


@pytest.mark.parametrize("call", sorted(OPEN))
async def test_open_calls_need_no_key(door: Door, call: str) -> None:
    method, path = call.split()
    assert (await door.http.request(method, path)).status_code == 200


@pytest.mark.parametrize("who", [*Scope, NOBODY])
@pytest.mark.parametrize("call", GRPC)
async def test_grpc(door: Door, keys: dict[str, str], call: str, who: str) -> None:
    code = await outcome(door.channel, call, () if who == NOBODY else metadata(keys[who]))
    refusals = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
    if who == GRPC[call]:
        assert code not in refusals
    else:
        assert code is (grpc.StatusCode.UNAUTHENTICATED if who == NOBODY else grpc.StatusCode.PERMISSION_DENIED)


async def outcome(channel: grpc.aio.Channel, call: str, who: Any) -> grpc.StatusCode:
    """How an empty request ends, or OK when the call goes on."""
    method = METHODS[call]
    request = GetMessageClass(method.input_type)()
    make = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }[method.client_streaming, method.server_streaming]
    made: Any = make(call, type(request).SerializeToString, GetMessageClass(method.output_type).FromString)
    answer = made(iter([request]) if method.client_streaming else request, metadata=who, timeout=20)
    with contextlib.suppress(grpc.aio.AioRpcError):
        if not method.server_streaming:
            await answer
        elif await anext(aiter(answer), None) is not None:
            answer.cancel()
            return grpc.StatusCode.OK
    code: grpc.StatusCode = await answer.code()
    return code
