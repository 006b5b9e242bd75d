"""Profiles: where a process spent its time, as a file to look at."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gotask.service.settings import PREFIX, InvalidSettings

_SETTING = f"{PREFIX}PROFILE"


@contextmanager
def profiled(place: str, service: str) -> Iterator[None]:
    """Samples this thread every millisecond, and writes what it found to *place* at the end: a flame graph for a name
    that ends in .html, a profile for speedscope for one in .json. An empty *place* does nothing.

    ``{service}`` and ``{pid}`` in *place* are filled in. Handlers in threads and processes are not seen; the samples
    stay in memory, some megabytes for each busy minute.

    :raises InvalidSettings: the file cannot be written, or pyinstrument is not installed.
    """
    if not place:
        yield
        return
    file = _writable(Path(place.replace("{service}", service).replace("{pid}", str(os.getpid()))))
    try:
        from pyinstrument import Profiler
        from pyinstrument.renderers import HTMLRenderer, SpeedscopeRenderer
    except ModuleNotFoundError as error:
        raise InvalidSettings(f"{_SETTING}: {error.name} is not installed: install gotask[profile]") from None
    profiler = Profiler(async_mode="disabled")
    profiler.start()
    try:
        yield
    finally:
        profiler.stop()
        renderer = SpeedscopeRenderer(show_all=True) if file.suffix == ".json" else HTMLRenderer()
        file.write_text(profiler.output(renderer))


def _writable(file: Path) -> Path:
    """Better known now than after hours."""
    try:
        file.touch()
    except OSError as error:
        raise InvalidSettings(f"{_SETTING}: {file} cannot be written: {error.strerror}") from None
    return file
