"""All five services in this process, over a real NATS and the memory of this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from gotask.bus.bus import Bus
from gotask.cli.up.options import UpOptions
from gotask.gateway.service import GatewayService
from gotask.gateway.settings import GatewaySettings
from gotask.metrics.service import MetricsService
from gotask.metrics.settings import MetricsSettings
from gotask.queue_manager.service import QueueManagerService
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.service import SchedulerService
from gotask.scheduler.settings import SchedulerSettings
from gotask.sdk.loading import load_app
from gotask.service.clock import SystemClock
from gotask.service.service import Service, open_bus, service_telemetry
from gotask.service.telemetry import Telemetry
from gotask.storage.memory import MemoryStorage
from gotask.worker.builtin import builtin_app
from gotask.worker.service import WorkerService
from gotask.worker.settings import WorkerSettings


class Standalone:
    """Services that share one storage, each with a connection of its own."""

    def __init__(self, services: Sequence[Service], buses: Sequence[Bus], telemetry: Telemetry) -> None:
        self._services = services
        self._buses = buses
        self._telemetry = telemetry

    @classmethod
    async def build(cls, options: UpOptions, environment: Mapping[str, str]) -> "Standalone":
        """Connects; nothing is started yet."""
        shared: dict[str, Any] = {
            "nats_url": environment["GOTASK_NATS_URL"],
            "http_port": int(environment["GOTASK_HTTP_PORT"]),
            "grpc_port": int(environment["GOTASK_GRPC_PORT"]),
            "metrics_port": int(environment["GOTASK_METRICS_PORT"]),
            "dashboard_port": int(environment["GOTASK_DASHBOARD_PORT"]),
            "gateway_url": environment["GOTASK_GATEWAY_URL"],
            "storage": "memory",
        }
        storage = MemoryStorage()
        clock = SystemClock()
        manager, scheduler = QueueManagerSettings.load(**shared), SchedulerSettings.load(**shared)
        metrics, gateway = MetricsSettings.load(**shared), GatewaySettings.load(**shared)
        served = {"queues": options.worker_queues} if options.worker_queues else {}
        worker = WorkerSettings.load(**shared, **served, concurrency=options.concurrency)
        app = load_app(options.worker_app) if options.worker_app else builtin_app(worker)
        buses = [
            await open_bus(settings, name)
            for name, settings in {
                QueueManagerService.name: manager,
                SchedulerService.name: scheduler,
                MetricsService.name: metrics,
                WorkerService.name: worker,
                GatewayService.name: gateway,
            }.items()
        ]
        telemetry = service_telemetry(manager, "standalone")
        services: list[Service] = [
            QueueManagerService(manager, buses[0], storage, clock, telemetry),
            SchedulerService(scheduler, buses[1], storage, clock),
            MetricsService(metrics, buses[2], storage, clock),
            WorkerService(worker, buses[3], app, clock, telemetry),
            GatewayService(gateway, buses[4], storage, clock, telemetry),
        ]
        return cls(services, buses, telemetry)

    async def start(self) -> None:
        for service in self._services:
            await service.start()

    async def stop(self) -> None:
        """The gateway first; the queue-manager last, so that the others' last words are heard."""
        for service in reversed(self._services):
            await service.stop()
        for bus in self._buses:
            await bus.close()
        await self._telemetry.close()
