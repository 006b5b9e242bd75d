"""Opens a service's storage."""

import asyncio
import time

from gotask.service.service import StartFailed
from gotask.service.settings import StorageSettings
from gotask.storage.contract import Storage, StorageUnavailable
from gotask.storage.open import open_storage

_PAUSE_S = 0.1


async def open_service_storage(settings: StorageSettings) -> Storage:
    """The storage of the settings, connected; StartFailed when it does not answer in time."""
    if settings.storage == "memory":
        raise StartFailed(
            "GOTASK_STORAGE: memory storage lives in one process, and a service of its own would not share it; "
            "run `gotask up --storage memory` for all services in one process, or choose redis"
        )
    storage = open_storage(settings)
    end = time.monotonic() + settings.start_timeout
    while True:
        try:
            await storage.open()
        except StorageUnavailable as error:
            if time.monotonic() > end:
                raise StartFailed(f"the {settings.storage} storage did not answer: {error}") from error
            await asyncio.sleep(_PAUSE_S)
        else:
            return storage
