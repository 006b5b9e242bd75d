"""Payloads: what a handler's annotations make of them, and what is said of those that do not fit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from gotask.sdk import JobContext
from gotask.sdk.binding import Binder, InvalidPayload
from tests.sdk.support import context


class Colour(Enum):
    RED = "red"


class Size(BaseModel):
    model_config = ConfigDict(extra="forbid")
    width: int
    height: int = 1


class Order(BaseModel):
    lines: list[Size]

    @field_validator("lines")
    @classmethod
    def _some(cls, value: list[Size]) -> list[Size]:
        if not value:
            raise ValueError("order at least one")
        return value


@dataclass
class Point:
    x: int
    y: int = 2


def bind(function: Callable[..., Any], payload: Any) -> dict[str, Any]:
    return Binder(function).bind(payload, context())


def test_values_become_what_the_annotations_say() -> None:
    def handler(
        at: datetime,
        wait: timedelta,
        key: UUID,
        colour: Colour,
        size: Size,
        point: Point,
        mode: Literal["fast", "slow"],
        pairs: dict[str, list[int]],
        either: int | str,
        maybe: float | None = None,
        untyped: Any = "default",
    ) -> None: ...

    bound = bind(
        handler,
        {
            "at": "2026-01-02T03:04:05Z",
            "wait": 90,
            "key": "0192e4a0-0000-7000-8000-000000000000",
            "colour": "red",
            "size": {"width": "7"},
            "point": {"x": 1},
            "mode": "fast",
            "pairs": {"a": [1, "2"]},
            "either": "text",
        },
    )
    assert bound["at"].year == 2026
    assert (bound["wait"], bound["key"]) == (timedelta(seconds=90), UUID("0192e4a0-0000-7000-8000-000000000000"))
    assert (bound["colour"], bound["size"], bound["point"]) == (Colour.RED, Size(width=7), Point(1))
    assert (bound["mode"], bound["pairs"], bound["either"]) == ("fast", {"a": [1, 2]}, "text")
    assert "maybe" not in bound  # the function's own default holds
    assert "untyped" not in bound


def one(number: Annotated[int, Field(gt=0)]) -> None: ...


def several(size: Size, order: Order, either: int | list[int] = 0) -> None: ...


def any_number(**numbers: int) -> None: ...


FITTING_ORDER = {"lines": [{"width": 1}]}


@pytest.mark.parametrize(
    ("function", "payload", "complaint"),
    [
        (one, {"number": 0}, "payload.number: Input should be greater than 0"),
        (one, {}, "payload.number: is missing"),
        (several, {"size": {}, "order": FITTING_ORDER}, "payload.size.width: is missing"),
        (
            several,
            {"size": {"width": 1, "depth": 2}, "order": FITTING_ORDER},
            "payload.size.depth: Extra inputs are not permitted",
        ),
        (several, {"size": {"width": 1}, "order": {"lines": []}}, "payload.order.lines: order at least one"),
        (
            several,
            {"order": {"lines": [{"width": 1}, {"width": "wide"}]}},
            "payload.size: is missing; payload.order.lines.1.width: Input should be a valid integer",
        ),
        (
            several,
            {"size": {"width": 1}, "order": FITTING_ORDER, "either": "x"},
            "payload.either (as int): Input should be a valid integer; payload.either (as list[int]): ",
        ),
        (
            several,
            {"size": {"width": 1}, "order": FITTING_ORDER, "colour": 1},
            "payload.colour: is not known; the handler takes 'size', 'order', 'either'",
        ),
        (any_number, {"a": 1, "b": "two"}, "payload.b: Input should be a valid integer"),
    ],
)
def test_each_field_that_does_not_fit_is_named_with_the_reason(
    function: Callable[..., Any], payload: Any, complaint: str
) -> None:
    with pytest.raises(InvalidPayload) as refused:
        bind(function, payload)
    assert complaint in str(refused.value).replace(", unable to parse string as an integer", "")


def test_a_long_list_of_complaints_is_cut() -> None:
    def numbers(payload: list[int]) -> None: ...

    with pytest.raises(InvalidPayload, match=r"payload\.4: .*; payload: and 15 more$"):
        bind(numbers, ["x"] * 20)


def test_the_context_may_be_optional_so_that_the_function_can_be_called_without_it() -> None:
    def handler(number: int, job: JobContext | None = None) -> None: ...

    assert set(bind(handler, {"number": 1})) == {"number", "job"}


def test_a_function_that_can_take_no_payload_is_refused_when_it_is_registered() -> None:
    def positional(number: int, /) -> None: ...

    def unknown(number: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    class Unfit:
        pass

    def no_schema(thing: Unfit) -> None: ...

    refusals: dict[Callable[..., Any], str] = {
        positional: "'number' must be one that can be given by name",
        unknown: "names what is not there when it runs",
        no_schema: "'thing': no payload can be validated as",
    }
    for function, complaint in refusals.items():
        with pytest.raises(TypeError, match=complaint):
            Binder(function)
