"""From a payload to a handler's arguments.

- A parameter annotated :class:`JobContext` gets the context.
- A handler whose only other parameter is called ``payload`` gets the payload whole.
- Else an object's members become keyword arguments, and null becomes none. A payload that is neither goes to the only
  other parameter.

Values are validated against the annotations by pydantic; a parameter without one takes what comes.
"""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from gotask.sdk.context import JobContext
from gotask.sdk.errors import NoRetry

_WHOLE = "payload"


class InvalidPayload(NoRetry):
    """The payload does not fit the handler's parameters; the text names the field."""


class Binder:
    """Binds payloads to the parameters of one function. Made once, when the handler is registered."""

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = get_type_hints(function)
        parameters = inspect.signature(function).parameters
        for name, parameter in parameters.items():
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
                raise TypeError(f"handler parameter {name!r} must be one that can be given by name")
        self._context = next((name for name in parameters if hints.get(name) is JobContext), None)
        named = {
            name: parameter
            for name, parameter in parameters.items()
            if name != self._context and parameter.kind is not parameter.VAR_KEYWORD
        }
        self._takes_any_name = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
        self._required = frozenset(name for name, item in named.items() if item.default is item.empty)
        self._types = {name: TypeAdapter(hints[name]) if hints.get(name, Any) is not Any else None for name in named}
        self._only = next(iter(named)) if len(named) == 1 and not self._takes_any_name else None

    def bind(self, payload: Any, context: JobContext) -> dict[str, Any]:
        """The arguments, by name; InvalidPayload says which field does not fit and why."""
        if self._only == _WHOLE:
            arguments = {_WHOLE: payload}
        elif isinstance(payload, dict):
            arguments = payload
        elif payload is None:
            arguments = {}
        elif self._only is not None:
            arguments = {self._only: payload}
        else:
            raise InvalidPayload(f"payload: an object with {self._wanted()} is needed, not {type(payload).__name__}")
        bound = {name: self._value(name, value) for name, value in arguments.items()}
        missing = self._required - bound.keys()
        if missing:
            raise InvalidPayload(f"payload.{min(missing)}: is missing")
        if self._context is not None:
            bound[self._context] = context
        return bound

    def _value(self, name: str, value: Any) -> Any:
        try:
            adapter = self._types[name]
        except KeyError:
            if self._takes_any_name:
                return value
            raise InvalidPayload(f"payload.{name}: is not known; the handler takes {self._wanted()}") from None
        if adapter is None:
            return value
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(str(part) for part in (name, *problem["loc"]))
            where = path if name == _WHOLE else f"payload.{path}"
            raise InvalidPayload(f"{where}: {problem['msg']}") from None

    def _wanted(self) -> str:
        return ", ".join(repr(name) for name in self._types) or "no members"
