"""The queue-manager, put together."""

from gotask.bus.bus import Bus
from gotask.bus.consumer import BatchConsumer
from gotask.bus.inboxes import Inboxes
from gotask.bus.subjects import Stream
from gotask.queue_manager.dead_letters import DeadLetterCommands
from gotask.queue_manager.dispatch import GROUP, Dispatcher
from gotask.queue_manager.intake import Intake
from gotask.queue_manager.job_commands import JobCommands
from gotask.queue_manager.leases import Leases
from gotask.queue_manager.outcomes import Outcomes, decode_results
from gotask.queue_manager.publishing import EventPublisher
from gotask.queue_manager.purging import Purging
from gotask.queue_manager.queue_commands import QueueCommands
from gotask.queue_manager.queues import Queues
from gotask.queue_manager.reading import Reading
from gotask.queue_manager.release import Release, decode_due
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.queue_manager.submission import SubmissionDecoder
from gotask.queue_manager.upkeep import Upkeep
from gotask.service.clock import Clock
from gotask.service.storage import missing_parts
from gotask.service.telemetry import OFF, Telemetry
from gotask.storage.contract import Storage, StorageUnavailable


class QueueManagerService:
    """Owns the state of jobs and queues."""

    name = "queue-manager"

    def __init__(
        self, settings: QueueManagerSettings, bus: Bus, storage: Storage, clock: Clock, telemetry: Telemetry = OFF
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._storage = storage
        self._queues = Queues(settings, bus, storage, clock)
        self._events = EventPublisher(bus)
        self._dispatcher = Dispatcher(settings, bus, storage, clock, self._queues, self._events, telemetry)
        outcomes = Outcomes(bus, storage, clock, self._queues, self._dispatcher, telemetry)
        intake = Intake(settings, bus, storage, clock, self._queues, self._dispatcher, telemetry)
        release = Release(bus, storage, clock, self._dispatcher)
        self._job_commands = JobCommands(bus, storage, clock, self._dispatcher, self._events)
        self._dead_letters = DeadLetterCommands(bus, storage, clock, self._dispatcher, self._events)
        self._queue_commands = QueueCommands(settings, bus, storage, clock, self._queues)
        self._purging = Purging(bus, storage, clock, self._events)
        self._reading = Reading(bus, storage, clock)
        self._leases = Leases(
            settings, bus, storage, clock, self._queues, self._dispatcher, outcomes, self._events, telemetry
        )
        self._upkeep = Upkeep(settings, storage, clock, self._events)
        transient = (StorageUnavailable,)
        self._submissions = BatchConsumer(
            bus,
            Stream.SUBMIT,
            GROUP,
            decode=SubmissionDecoder(bus.subjects, Inboxes(settings.nats_inbox_prefix)),
            apply=intake.apply,
            transient=transient,
        )
        self._results = BatchConsumer(
            bus,
            Stream.RESULTS,
            GROUP,
            decode=decode_results,
            apply=outcomes.apply,
            transient=transient,
            # Attempts end in any order: an attempt is fenced, and its successor begins only once it has ended.
            appliers=2,
        )
        self._due = BatchConsumer(bus, Stream.DUE, GROUP, decode=decode_due, apply=release.apply, transient=transient)

    async def start(self) -> None:
        await self._bus.update_streams(self._settings, self._settings.start_timeout)
        await self._queues.start()
        await self._dispatcher.start()
        await self._leases.start()
        await self._results.start()
        await self._due.start()
        await self._submissions.start()
        await self._job_commands.start()
        await self._dead_letters.start()
        await self._queue_commands.start()
        await self._purging.start()
        await self._reading.start()
        await self._upkeep.start()

    async def stop(self) -> None:
        await self._submissions.stop()
        await self._dispatcher.stop()
        await self._due.stop()
        await self._results.stop()
        await self._upkeep.stop()
        await self._leases.stop()
        await self._queues.stop()
        await self._events.drain()

    async def missing(self) -> list[str]:
        return await missing_parts(self._bus, self._storage)
