"""From a payload to a handler's arguments.

- A parameter annotated :class:`JobContext` gets the context.
- A handler whose only other parameter is called ``payload`` gets the payload whole.
- Else an object's members become keyword arguments, and null becomes none. A payload that is neither goes to the only
  other parameter.

Values are validated against the annotations by pydantic: its models, dataclasses, unions, ``Annotated`` constraints and
whatever else it knows. A parameter without an annotation takes what comes, one with a default may be missing.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from gotask.sdk.context import JobContext
from gotask.sdk.errors import NoRetry
from gotask.sdk.payload_errors import complaints

_WHOLE = "payload"
_CONTEXTS = (JobContext, JobContext | None)


class InvalidPayload(NoRetry):
    """The payload does not fit the handler's parameters; the text names each field that does not, and why."""


class _UnknownName(Exception):
    """The payload has a member that no parameter takes."""


class Binder:
    """Binds payloads to the parameters of one function. Made once, when the handler is registered.

    :raises TypeError: the parameters cannot take a payload.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = _hints(function)
        signature = inspect.signature(function)
        parameters = signature.parameters
        for name, parameter in parameters.items():
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
                raise TypeError(f"handler parameter {name!r} must be one that can be given by name")
        self._context = next((name for name in parameters if hints.get(name) in _CONTEXTS), None)
        others = {name: parameter for name, parameter in parameters.items() if name != self._context}
        self._given = signature.replace(parameters=list(others.values()))
        rest = next((name for name, parameter in others.items() if parameter.kind is parameter.VAR_KEYWORD), None)
        named = {name: parameter for name, parameter in others.items() if name != rest}
        self._rest = rest
        self._takes_any_name = rest is not None
        self._rest_type = _adapter(rest, hints) if rest else None
        self._required = frozenset(name for name, item in named.items() if item.default is item.empty)
        self._types = {name: _adapter(name, hints) for name in named}
        self._only = next(iter(named)) if len(named) == 1 and not self._takes_any_name else None
        self._takes_anything = self._only == _WHOLE and self._types[_WHOLE] is None and self._context is None

    def payload(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The payload that :meth:`bind` turns into these arguments; the context is none of them.

        :raises TypeError: there is no such parameter, or one is missing.
        :raises InvalidPayload: a value does not fit; the text names it.
        """
        given = self._given.bind(*args, **kwargs).arguments
        if self._rest is not None:
            given |= given.pop(self._rest, {})
        bound = self.bind(given.get(_WHOLE) if self._only == _WHOLE else given, None)
        values = {name: self._json(name, value) for name, value in bound.items() if name != self._context}
        return values[_WHOLE] if self._only == _WHOLE else values

    def _json(self, name: str, value: Any) -> Any:
        adapter = self._types.get(name, self._rest_type)
        return value if adapter is None else adapter.dump_python(value, mode="json")

    def bind(self, payload: Any, context: JobContext | None) -> dict[str, Any]:
        """The arguments, by name; InvalidPayload says which fields do not fit and why."""
        if self._takes_anything:
            return {_WHOLE: payload}
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
        try:
            bound = {name: self._value(name, value) for name, value in arguments.items()}
        except (ValidationError, _UnknownName):
            raise InvalidPayload(self._all_complaints(arguments)) from None
        if not self._required <= bound.keys():
            raise InvalidPayload(self._all_complaints(arguments))
        if self._context is not None:
            bound[self._context] = context
        return bound

    def _value(self, name: str, value: Any) -> Any:
        """ValidationError for a value that does not fit."""
        try:
            adapter = self._types[name]
        except KeyError:
            if not self._takes_any_name:
                raise _UnknownName from None
            adapter = self._rest_type
        return value if adapter is None else adapter.validate_python(value)

    def _all_complaints(self, arguments: dict[str, Any]) -> str:
        found = [f"payload.{name}: is missing" for name in sorted(self._required - arguments.keys())]
        for name, value in arguments.items():
            where = _WHOLE if self._only == _WHOLE else f"payload.{name}"
            try:
                self._value(name, value)
            except ValidationError as error:
                found += complaints(where, value, error)
            except _UnknownName:
                found.append(f"{where}: is not known; the handler takes {self._wanted()}")
        return "; ".join(found)

    def _wanted(self) -> str:
        return ", ".join(repr(name) for name in self._types) or "no members"


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        name = function.__qualname__
        raise TypeError(f"an annotation of {name!r} names what is not there when it runs: {error}") from None


def _adapter(name: str, hints: dict[str, Any]) -> TypeAdapter[Any] | None:
    hint = hints.get(name, Any)
    if hint is Any:
        return None
    try:
        return TypeAdapter(hint)
    except PydanticUserError as error:
        raise TypeError(
            f"handler parameter {name!r}: no payload can be validated as {hint!r}: {error.message}"
        ) from None
