"""The gRPC server with all its services."""

from gotask.gateway.grpc.adapter import Adapter
from gotask.gateway.grpc.credentials import server_credentials
from gotask.gateway.grpc.job_service import JobService
from gotask.gateway.grpc.queue_service import QueueService
from gotask.gateway.grpc.schedule_service import ScheduleService
from gotask.gateway.grpc.server import GrpcServer, Implementations
from gotask.gateway.grpc.worker_service import WorkerService
from gotask.gateway.parts import Parts
from gotask.gateway.settings import GatewaySettings
from gotask.service.clock import Clock
from gotask.service.telemetry import Telemetry
from gotask.v1 import job_service_pb2, queue_service_pb2, schedule_service_pb2, worker_service_pb2


def build_server(settings: GatewaySettings, clock: Clock, parts: Parts, telemetry: Telemetry) -> GrpcServer:
    """Listens on nothing yet. OSError when a file of its certificate cannot be read."""
    services: Implementations = {
        job_service_pb2.DESCRIPTOR.services_by_name["JobService"]: JobService(settings, clock, parts),
        queue_service_pb2.DESCRIPTOR.services_by_name["QueueService"]: QueueService(
            clock, parts.queues, parts.dead_letters
        ),
        schedule_service_pb2.DESCRIPTOR.services_by_name["ScheduleService"]: ScheduleService(
            clock, parts.schedules, settings.max_payload_bytes
        ),
        worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"]: WorkerService(parts.workers),
    }
    address = f"{settings.grpc_addr or settings.http_addr}:{settings.grpc_port}"
    credentials = server_credentials(settings.tls) if settings.tls else None
    return GrpcServer(Adapter(parts.guard, telemetry), services, address, credentials, settings.max_batch_body_bytes)
