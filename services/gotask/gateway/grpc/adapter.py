"""Turns plain methods into the handlers of a gRPC service."""

import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gotask.bus.errors import Code, CommandError
from gotask.gateway.access.authenticator import Credentials
from gotask.gateway.access.caller import Caller
from gotask.gateway.access.guard import Guard
from gotask.gateway.access.rules import GRPC
from gotask.gateway.grpc.statuses import code_of, details_of
from gotask.gateway.refusals import forget_frames, refusal_of
from gotask.service.telemetry import Telemetry

_log = structlog.get_logger("gotask.gateway")

Decoded = Message | CommandError
Context = grpc.aio.ServicerContext[Any, Any]


class Adapter:
    """Calls the methods of an implementation for the calls of a service.

    ``SubmitJob`` is answered by ``submit_job(caller, request)``: a coroutine function for one answer, an asynchronous
    generator for a stream of them; for a stream of requests, *request* iterates over it. Callers are admitted first,
    and errors become statuses. Calls that the implementation has no method for are UNIMPLEMENTED.
    """

    def __init__(self, guard: Guard, telemetry: Telemetry) -> None:
        self._guard = guard
        self._telemetry = telemetry

    def handler(self, service: ServiceDescriptor, implementation: object) -> grpc.GenericRpcHandler:
        """What a server is given for *service*."""
        handlers = {}
        for method in service.methods:
            behaviour = getattr(implementation, _snake(method.name), None)
            if behaviour is not None:
                handlers[method.name] = self._method(method, f"/{service.full_name}/{method.name}", behaviour)
        return grpc.method_handlers_generic_handler(service.full_name, handlers)

    def _method(
        self, method: MethodDescriptor, call: str, behaviour: Callable[..., Any]
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        ways: dict[tuple[bool, bool], tuple[Callable[..., Any], Callable[..., Any]]] = {
            (False, False): (grpc.unary_unary_rpc_method_handler, self._unary),
            (False, True): (grpc.unary_stream_rpc_method_handler, self._stream),
            (True, True): (grpc.stream_stream_rpc_method_handler, self._stream),
        }
        make, adapt = ways[method.client_streaming, method.server_streaming]
        handler: grpc.RpcMethodHandler[Any, Any] = make(
            adapt(call, behaviour),
            request_deserializer=_decoder(GetMessageClass(method.input_type)),
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        return handler

    def _unary(self, call: str, behaviour: Callable[[Caller, Any], Awaitable[Message]]) -> Callable[..., Any]:
        async def answer(request: Decoded, context: Context) -> Message | None:
            with self._telemetry.rpc(call, _metadata(context)) as tell_status:
                try:
                    caller = self._admit(call, context)
                    return await behaviour(caller, _understood(request))
                except Exception as error:
                    tell_status(refusal_of(error).code.name)
                    await _fail(context, call, error)
                    return None

        return answer

    def _stream(
        self, call: str, behaviour: Callable[[Caller, Any], AsyncGenerator[Message, None]]
    ) -> Callable[..., Any]:
        async def answers(request: Any, context: Context) -> AsyncIterator[Message]:
            try:
                caller = self._admit(call, context)
                readable = _all_understood(request) if isinstance(request, AsyncIterator) else _understood(request)
                async with contextlib.aclosing(behaviour(caller, readable)) as messages:
                    async for message in messages:
                        yield message
            except Exception as error:
                await _fail(context, call, error)

        return answers

    def _admit(self, call: str, context: Context) -> Caller:
        metadata = _metadata(context)
        credentials = Credentials(
            metadata.get("authorization", ""), metadata.get("x-api-key", ""), _address(context.peer())
        )
        return self._guard.admit(call, GRPC.get(call), credentials)


def _metadata(context: Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _decoder(message: type[Message]) -> Callable[[bytes], Decoded]:
    """grpc's own answer to bytes that are no message would be INTERNAL."""

    def decode(data: bytes) -> Decoded:
        try:
            return message.FromString(data)
        except DecodeError:
            return CommandError(Code.INVALID_ARGUMENT, f"the request is no {message.DESCRIPTOR.full_name}")

    return decode


def _understood(request: Decoded) -> Message:
    """INVALID_ARGUMENT for what is no message, or has fields of a newer contract: what it asks for cannot be done by
    leaving them out."""
    if isinstance(request, CommandError):
        raise request
    size = request.ByteSize()
    request.DiscardUnknownFields()
    if request.ByteSize() != size:
        raise CommandError(Code.INVALID_ARGUMENT, "the request has fields that this gateway does not know")
    return request


async def _all_understood(requests: AsyncIterator[Decoded]) -> AsyncIterator[Message]:
    async for request in requests:
        yield _understood(request)


async def _fail(context: Context, call: str, error: Exception) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    refusal = refusal_of(error)
    if refusal.code is Code.INTERNAL:
        _log.exception("call failed", call=call)
    forget_frames(error)
    await context.abort(code_of(refusal), refusal.detail, details_of(refusal))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _address(peer: str) -> str:
    """Such as "127.0.0.1", of "ipv4:127.0.0.1:51000"."""
    return peer.partition(":")[2].rpartition(":")[0]
