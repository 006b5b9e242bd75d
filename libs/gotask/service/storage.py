"""Runs services that touch the storage."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from gotask.bus.bus import Bus
from gotask.bus.patience import patiently
from gotask.service.service import Service, StartFailed, run_service
from gotask.service.settings import InvalidSettings, StorageSettings
from gotask.service.telemetry import Telemetry
from gotask.storage.contract import Storage, StorageError, StorageUnavailable
from gotask.storage.open import open_storage

_PING_TIMEOUT_S = 2.0

Settings = TypeVar("Settings", bound=StorageSettings)


def run_storage_service(
    name: str,
    settings_type: type[Settings],
    args: Sequence[str],
    build: Callable[[Settings, Bus, Storage, Telemetry], Service],
) -> int:
    """As :func:`gotask.service.service.run_service`, for a service that touches the storage."""

    async def build_with_storage(settings: Settings, bus: Bus, telemetry: Telemetry) -> Service:
        return build(settings, bus, await open_service_storage(settings), telemetry)

    return run_service(name, settings_type, args, build_with_storage, prepare=_check_storage)


def _check_storage(settings: StorageSettings) -> None:
    if settings.storage == "memory":
        raise InvalidSettings(
            "GOTASK_STORAGE: memory storage lives in one process, and a service of its own would not share it; "
            "run `gotask up --storage memory` for all services in one process, or choose redis or postgres"
        )
    try:
        open_storage(settings)
    except ValueError as error:
        raise InvalidSettings(str(error)) from None


async def open_service_storage(settings: StorageSettings) -> Storage:
    """The storage of the settings, connected; StartFailed when it does not answer in time, or answers wrongly."""
    storage = open_storage(settings)
    try:
        await patiently(storage.open, settings.start_timeout, lambda error: isinstance(error, StorageUnavailable))
    except StorageUnavailable as error:
        raise StartFailed(f"the {settings.storage} storage did not answer: {error}") from error
    except StorageError as error:
        raise StartFailed(str(error)) from error
    return storage


async def missing_parts(bus: Bus, storage: Storage) -> list[str]:
    """What a service that needs the broker and the storage lacks now."""
    missing = [] if bus.connected else ["connection to NATS"]
    try:
        await asyncio.wait_for(storage.ping(), _PING_TIMEOUT_S)
    except (StorageError, TimeoutError) as error:
        missing.append(f"storage: {error or 'no answer'}")
    return missing
