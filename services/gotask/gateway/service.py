"""The gateway, put together."""

from pathlib import Path

from gotask.bus.bus import Bus
from gotask.bus.job_commands import JobCommands
from gotask.bus.submissions import Submissions
from gotask.bus.watches import Watches
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.guard import Guard
from gotask.gateway.access.rates import Rates
from gotask.gateway.access.setup import authenticator
from gotask.gateway.dead_letters import DeadLetters
from gotask.gateway.feed import Feed
from gotask.gateway.following import Following
from gotask.gateway.grpc.build import build_server
from gotask.gateway.jobs import Jobs
from gotask.gateway.metrics import Metrics
from gotask.gateway.parts import Parts
from gotask.gateway.queues import Queues
from gotask.gateway.rest.app import build_app
from gotask.gateway.schedules import Schedules
from gotask.gateway.settings import GatewaySettings
from gotask.gateway.watchers import Watchers
from gotask.gateway.workers import Workers
from gotask.service.clock import Clock
from gotask.service.guarded_protocol import HttpLimits
from gotask.service.http import HttpServer
from gotask.service.storage import missing_parts
from gotask.service.telemetry import OFF, Telemetry
from gotask.storage.contract import Storage

_MAX_HEAD_BYTES = 32 * 1024


class GatewayService:
    """Serves the REST API and the gRPC services."""

    name = "gateway"

    def __init__(
        self, settings: GatewaySettings, bus: Bus, storage: Storage, clock: Clock, telemetry: Telemetry = OFF
    ) -> None:
        """StartFailed or OSError for a file of the settings that cannot be used."""
        if settings.tls:
            settings.tls.check()
        self._bus = bus
        self._storage = storage
        self._audit = Audit(clock, Path(settings.audit_file) if settings.audit_file else None)
        self._submissions = Submissions(
            bus, settings.publish_timeout, settings.submit_reply_timeout, settings.max_pending_jobs
        )
        self._watches = Watches(bus)
        parts = self._parts(settings, clock, telemetry)
        self._feed = parts.feed
        self._workers = parts.workers
        self._grpc = build_server(settings, clock, parts, telemetry) if settings.grpc_port else None
        self._http = HttpServer(
            telemetry.http(build_app(settings, clock, parts, self.missing)),
            settings.http_addr,
            settings.http_port,
            HttpLimits(settings.request_timeout, _MAX_HEAD_BYTES, settings.max_connections),
            settings.tls,
        )

    def _parts(self, settings: GatewaySettings, clock: Clock, telemetry: Telemetry) -> Parts:
        bus, storage, timeout_s = self._bus, self._storage, settings.command_timeout
        rates = Rates(settings.rate_limit)
        watchers = Watchers(settings.max_watchers)
        commands = JobCommands(bus, timeout_s)
        jobs = Jobs(storage, clock, self._submissions, self._watches, commands, self._audit, telemetry)
        queues = Queues(bus, storage, clock, self._audit, timeout_s)
        return Parts(
            guard=Guard(authenticator(settings, clock), rates, self._audit),
            rates=rates,
            jobs=jobs,
            following=Following(jobs, self._watches, watchers),
            feed=Feed(bus, watchers),
            queues=queues,
            dead_letters=DeadLetters(bus, storage, queues, self._audit, timeout_s),
            schedules=Schedules(bus, storage, self._audit, timeout_s),
            metrics=Metrics(bus, timeout_s),
            workers=Workers(bus, storage, clock, watchers, self._audit, timeout_s),
        )

    async def start(self) -> None:
        """OSError when a port is taken, or the audit file cannot be written."""
        self._audit.open()
        await self._submissions.start()
        await self._workers.start()
        await self._http.start()
        if self._grpc is not None:
            try:
                await self._grpc.start()
            except OSError:
                await self._http.stop()
                raise

    async def stop(self) -> None:
        """Ends what would go on for ever, lets the rest finish for a moment."""
        self._watches.stop()
        self._feed.stop()
        await self._workers.stop()
        if self._grpc is not None:
            await self._grpc.stop()
        await self._http.stop()
        await self._submissions.stop()
        self._audit.close()

    async def missing(self) -> list[str]:
        return await missing_parts(self._bus, self._storage)
