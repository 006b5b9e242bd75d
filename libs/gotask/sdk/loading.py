"""Finds the apps that a user named on the command line."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from gotask.sdk.app import App


class AppNotFound(Exception):
    """There is no app where the user said; the text tells what is there instead."""


class AppsConflict(Exception):
    """Apps cannot be put together; the text says which type has two handlers."""


def load_app(place: str) -> App:
    """The app at *place*, written ``package.module:attribute``; the current folder is searched, too."""
    module_name, colon, attribute = place.partition(":")
    if not (module_name and colon and attribute):
        raise AppNotFound(f"{place!r}: write module:attribute, such as myapp.jobs:app")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise AppNotFound(f"{place!r}: there is no module {error.name!r} on the path or in {here}") from error
    found = getattr(module, attribute, None)
    if not isinstance(found, App):
        apps = sorted(name for name, value in vars(module).items() if isinstance(value, App))
        hint = f"its apps are {', '.join(apps)}" if apps else "it has no App"
        raise AppNotFound(f"{place!r}: {attribute!r} of {module_name} is not an App; {hint}")
    found.places = (place,)
    return found


def load_apps(places: Sequence[str]) -> App:
    """The app at the only place, or one that has the handlers of all.

    :raises AppsConflict: two of them have a handler for the same type.
    """
    if len(places) == 1:
        return load_app(places[0])
    together = App()
    for place in places:
        app = load_app(place)
        try:
            together.include(app)
        except ValueError as error:
            raise AppsConflict(f"{place!r}: {error}") from None
    together.places = tuple(places)
    return together
