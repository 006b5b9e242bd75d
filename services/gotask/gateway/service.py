"""The gateway, put together."""

from gotask.bus.bus import Bus
from gotask.gateway.dead_letters import DeadLetters
from gotask.gateway.jobs import Jobs
from gotask.gateway.metrics import Metrics
from gotask.gateway.queues import Queues
from gotask.gateway.rest.app import build_app
from gotask.gateway.settings import GatewaySettings
from gotask.gateway.submissions import Submissions
from gotask.gateway.watches import Watches
from gotask.service.clock import Clock
from gotask.service.http import HttpServer
from gotask.service.storage import missing_parts
from gotask.service.telemetry import OFF, Telemetry
from gotask.storage.contract import Storage


class GatewayService:
    """Serves the REST API."""

    name = "gateway"

    def __init__(
        self, settings: GatewaySettings, bus: Bus, storage: Storage, clock: Clock, telemetry: Telemetry = OFF
    ) -> None:
        self._bus = bus
        self._storage = storage
        self._submissions = Submissions(bus, settings.publish_timeout, settings.submit_reply_timeout)
        self._watches = Watches(bus)
        jobs = Jobs(bus, storage, clock, self._submissions, self._watches, settings.command_timeout, telemetry)
        queues = Queues(bus, storage, clock, settings.command_timeout)
        dead = DeadLetters(bus, storage, queues, settings.command_timeout)
        metrics = Metrics(bus, settings.command_timeout)
        app = build_app(settings, clock, jobs, queues, dead, metrics, self.missing)
        self._http = HttpServer(telemetry.http(app), settings.http_addr, settings.http_port)

    async def start(self) -> None:
        """OSError when its port is taken."""
        await self._submissions.start()
        await self._http.start()

    async def stop(self) -> None:
        self._watches.stop()
        await self._http.stop()
        await self._submissions.stop()

    async def missing(self) -> list[str]:
        return await missing_parts(self._bus, self._storage)
