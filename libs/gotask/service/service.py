"""What a service is, and how one is run as a process."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import nats.errors
import structlog
import uvloop

from gotask.bus.bus import Bus
from gotask.bus.errors import BusError
from gotask.service.addresses import without_credentials
from gotask.service.garbage import collect_seldom
from gotask.service.logging import configure_logging
from gotask.service.profile import profiled
from gotask.service.settings import InvalidSettings, ServiceSettings
from gotask.service.tasks import stop_task
from gotask.service.telemetry import Telemetry, TelemetryUnavailable, open_telemetry

_log = structlog.get_logger("gotask.service")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Settings = TypeVar("Settings", bound=ServiceSettings)
Result = TypeVar("Result")


class Service(Protocol):
    """A part of GoTask. It is given its bus, storage and clock when it is made."""

    name: str

    async def start(self) -> None:
        """Returns when the service does its work."""
        ...

    async def stop(self) -> None:
        """Finishes what is under way, and takes nothing new."""
        ...

    async def missing(self) -> list[str]:
        """What it cannot work without and lacks now; empty when it is ready."""
        ...


@runtime_checkable
class Hurried(Protocol):
    """A service whose stop may take long, and can be cut short."""

    def hurry(self) -> None:
        """A second signal came: wait for nothing more."""
        ...


class StartFailed(Exception):
    """The service cannot start; the text says why and what to do."""


async def run_until_stopped(
    service: Service,
    bus: Bus,
    settings: ServiceSettings,
    stop: asyncio.Event,
    hurry_on: Sequence[signal.Signals] = STOP_SIGNALS,
) -> int:
    """Starts *service*, serves its health, waits for *stop*, and stops in an orderly way.

    A signal of *hurry_on* that comes after *stop* was set cuts the stop of a :class:`Hurried` service short.

    The exit code: 0 after *stop*; 1 when the broker ended the connection for good, so that whoever supervises the
    process starts it anew.
    """
    started = False

    async def missing() -> list[str]:
        return await service.missing() if started else ["start-up"]

    health = None
    if settings.health_port:
        # Imported here so that a process without health pages does not carry an HTTP server.
        from gotask.service.http import HttpServer, health_app
        from gotask.service.process_metrics import ProcessMetrics

        pages = {"/metrics": ProcessMetrics(bus.measures)}
        health = HttpServer(health_app(missing, pages), settings.health_host, settings.health_port)
        await health.start()
    await service.start()
    started = True
    if isinstance(service, Hurried):
        hurry_on_second_signal(stop, service.hurry, hurry_on)
    _log.info("started", pid=os.getpid())
    code = 0 if await _first(stop, bus.closed) is stop else 1
    if code:
        _log.error("the broker closed the connection for good")
    try:
        await asyncio.wait_for(service.stop(), settings.stop_timeout)
    except TimeoutError:
        _log.warning("stop took too long", seconds=settings.stop_timeout)
    if health is not None:
        await health.stop()
    await bus.close()
    _log.info("stopped")
    return code


async def _first(*events: asyncio.Event) -> asyncio.Event:
    waits = {asyncio.create_task(event.wait()): event for event in events}
    done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return waits[done.pop()]


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of *work*; None when *stop* is set before there is one."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    await stop_task(working)
    return None


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    return stop


def hurry_on_second_signal(
    stop: asyncio.Event, hurry: Callable[[], None], numbers: Sequence[signal.Signals] = STOP_SIGNALS
) -> None:
    """Calls *hurry* for each signal that comes after *stop*, made by :func:`stop_on_signals`, was set."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, lambda: hurry() if stop.is_set() else stop.set())


def run_process(name: str, settings: ServiceSettings, main: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    """Runs *main* on uvloop with logs and signals set up; its result is the process's exit code.

    :raises InvalidSettings: a profile is wanted that cannot be had.
    """
    configure_logging(name, settings.log_level, settings.log_format)
    collect_seldom()

    async def guarded() -> int:
        stop = stop_on_signals()
        try:
            return await main(stop)
        except (StartFailed, BusError, nats.errors.Error, OSError, TimeoutError) as error:
            _log.error("cannot start", reason=str(error) or type(error).__name__)
            return 1

    with contextlib.suppress(KeyboardInterrupt), profiled(settings.profile, name):
        return uvloop.run(guarded())
    return 130


def service_telemetry(settings: ServiceSettings, name: str) -> Telemetry:
    """The service's traces, if there are to be any; StartFailed when they cannot be had."""
    try:
        return open_telemetry(name, settings.namespace, messages=settings.log_payloads)
    except TelemetryUnavailable as error:
        raise StartFailed(str(error)) from None


async def open_bus(settings: ServiceSettings, name: str) -> Bus:
    """The service's connection; StartFailed when no broker answers in time."""
    try:
        return await Bus.open(settings, f"{settings.namespace}-{name}", settings.start_timeout)
    except TimeoutError:
        raise StartFailed(
            f"no NATS with JetStream answered at {without_credentials(settings.nats_url)} "
            f"within {settings.start_timeout:g} s"
        ) from None


def run_service(
    name: str,
    settings_type: type[Settings],
    args: Sequence[str],
    build: Callable[[Settings, Bus, Telemetry], Awaitable[Service]],
    prepare: Callable[[Settings], None] = lambda _: None,
    hurry_on: Sequence[signal.Signals] = STOP_SIGNALS,
) -> int:
    """Runs the service that *build* makes as a process of its own, with settings from *args* and the environment.

    *prepare* may change the settings, and raise InvalidSettings for those that do not go together. A signal of
    *hurry_on* is the one that hurries a service that stops already.

    The exit code: 0 after an orderly stop, 1 when it could not start or lost the broker for good, 2 for a wrong
    setting.
    """

    async def main(stop: asyncio.Event) -> int:
        telemetry = service_telemetry(settings, name)
        try:
            bus = await _unless(stop, open_bus(settings, name))
            if bus is None:
                return 0
            try:
                return await run_until_stopped(await build(settings, bus, telemetry), bus, settings, stop, hurry_on)
            finally:
                await bus.close()
        finally:
            await telemetry.close()

    try:
        settings = settings_type.load(args)
        prepare(settings)
        return run_process(name, settings, main)
    except InvalidSettings as error:
        sys.stderr.write(f"gotask {name}: {error}\n")
        return 2
