"""The gRPC server, in the gateway's event loop."""

from collections.abc import Mapping

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from gotask.gateway.grpc.adapter import Adapter

_GRACE_S = 5.0
_MAX_METADATA_BYTES = 16 * 1024
_KEEPALIVE_MS = 30_000
_LEAST_PING_MS = 10_000
_MAX_STREAMS = 10_000

Implementations = Mapping[ServiceDescriptor, object]


class GrpcServer:
    """Serves *implementations*, and beside them the standard services for health and reflection."""

    def __init__(
        self,
        adapter: Adapter,
        implementations: Implementations,
        address: str,
        credentials: grpc.ServerCredentials | None,
        max_message_bytes: int,
    ) -> None:
        self._adapter = adapter
        self._implementations = implementations
        self._address = address
        self._credentials = credentials
        self._options = (
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
            ("grpc.max_concurrent_streams", _MAX_STREAMS),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _LEAST_PING_MS),
            ("grpc.so_reuseport", 0),
        )
        self._server: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()

    async def start(self) -> None:
        """OSError when the address is taken."""
        server = grpc.aio.server(options=self._options)
        names = [service.full_name for service in self._implementations]
        server.add_generic_rpc_handlers(
            [self._adapter.handler(service, made) for service, made in self._implementations.items()]
        )
        add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        try:
            if self._credentials is None:
                server.add_insecure_port(self._address)
            else:
                server.add_secure_port(self._address, self._credentials)
        except RuntimeError:
            raise OSError(f"cannot serve gRPC on {self._address}: the address is taken or not ours") from None
        await server.start()
        self._server = server
        for name in ("", *names):
            await self._health.set(name, HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Lets open calls finish for a moment, then ends them."""
        if self._server is not None:
            await self._health.enter_graceful_shutdown()
            await self._server.stop(_GRACE_S)
