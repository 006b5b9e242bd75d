"""Handlers as typed functions: called as before, and submitted with arguments that are checked where they are given.

What type checkers make of them is checked by ``make lint``: an ``assert_type`` that is wrong fails there, and so does
an ``ignore`` of an error that is none.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import pytest
from pydantic import BaseModel

from gotask.jobs.request import JobRequest
from gotask.sdk import App, Client, JobContext, NewJob
from gotask.sdk.client.handle import JobHandle
from gotask.sdk.errors import InvalidArgument
from gotask.sdk.testing import Sandbox

app = App()


class Size(BaseModel):
    width: int
    height: int = 1


@app.job("resize", queue="images", timeout="2m", max_retries=7, ttl="1h")
async def resize(url: str, size: Size, quality: int = 80) -> dict[str, int]:
    """Makes an image smaller."""
    return {"area": size.width * size.height * quality}


@app.job("greet")
def greet(context: JobContext, name: str) -> str:
    return f"Hello {name}, this is try {context.attempt}"


@app.job("echo")
async def echo(payload: Any) -> Any:
    return payload


@app.job("note")
async def note(**fields: int) -> int:
    return sum(fields.values())


@app.job("tick")
async def tick() -> None: ...


def request_of(job: NewJob[Any]) -> JobRequest:
    return job.request


async def test_it_can_be_called_as_before() -> None:
    assert_type(await resize("u", Size(width=2), quality=1), dict[str, int])
    assert await resize("u", Size(width=2), quality=1) == {"area": 2}
    assert (resize.__name__, resize.__doc__, resize.type) == ("resize", "Makes an image smaller.", "resize")
    handler = app.handler("resize")
    assert handler is not None
    assert handler.is_async


def test_arguments_become_the_payload() -> None:
    assert request_of(resize.job("u", Size(width=2))).payload == {"url": "u", "size": {"width": 2, "height": 1}}
    assert request_of(resize.job(url="u", size=Size(width=2), quality=9)).payload["quality"] == 9
    assert request_of(greet.job(name="ada")).payload == {"name": "ada"}
    assert request_of(greet.job("ada")).payload == {"name": "ada"}
    assert request_of(echo.job([1, {"a": 2}])).payload == [1, {"a": 2}]
    assert request_of(echo.job(payload=None)).payload is None
    assert request_of(note.job(a=1, b=2)).payload == {"a": 1, "b": 2}
    assert request_of(tick.job()).payload == {}


def test_the_handlers_defaults_count_unless_options_say_otherwise() -> None:
    plain = request_of(resize.job("u", Size(width=2)))
    assert (plain.type, plain.queue, plain.timeout, plain.max_retries) == ("resize", "images", 120_000_000, 7)
    options = resize.options(queue="slow", delay=timedelta(minutes=5), priority=9)
    changed = request_of(options.options(priority=3).job("u", Size(width=2)))
    assert (changed.queue, changed.delay, changed.priority, changed.max_retries) == ("slow", 300_000_000, 3, 7)
    assert request_of(resize.job("u", Size(width=2))).queue == "images"


def test_an_option_takes_the_place_of_one_that_contradicts_it() -> None:
    dated = request_of(resize.options(expires_at=datetime(2031, 1, 1, tzinfo=UTC)).job("u", Size(width=2)))
    assert (dated.ttl, dated.expires_at is not None) == (None, True)


@pytest.mark.parametrize(
    ("submit", "error", "complaint"),
    [
        (lambda: resize.job(size=Size(width=1)), TypeError, r"resize\(\): missing a required argument: 'url'"),
        (lambda: resize.job("u", Size(width=1), colour=1), TypeError, r"resize\(\): got an unexpected .* 'colour'"),
        (lambda: greet.job("ada", "bob"), TypeError, r"greet\(\): too many positional arguments"),
        (lambda: resize.job(1, Size(width=1)), InvalidArgument, r"payload\.url: Input should be a valid string"),
        (
            lambda: resize.job("u", {"width": "x"}),
            InvalidArgument,
            r"payload\.size\.width: Input should be a valid int",
        ),
        (lambda: note.job(a="x"), InvalidArgument, r"payload\.a: Input should be a valid integer"),
        (lambda: resize.options(delya="5m"), InvalidArgument, "delya: there is no such field"),
        (lambda: resize.options(priority=999), InvalidArgument, "priority: .*255"),
        (lambda: app.job("other", timeout="long"), InvalidArgument, "timeout: not a duration: 'long'"),
    ],
)
def test_wrong_arguments_fail_where_they_are_given(
    submit: Callable[[], Any], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        submit()


async def test_a_function_serves_several_types_and_apps() -> None:
    other = App()

    async def shared(number: int) -> int:
        return number + 1

    first, second = other.job("first")(shared), other.job("second")(shared)
    third = App().job("third")(first)
    assert (first.type, second.type, third.type) == ("first", "second", "third")
    async with Sandbox(other, eager=True):
        assert await (await second.submit(number=1)).result() == 2


async def test_type_checkers_know_arguments_and_results() -> None:
    async with Sandbox(app, eager=True) as sandbox:
        assert_type(resize.job("u", Size(width=2)), NewJob[dict[str, int]])
        handle = await resize.submit("u", Size(width=2))
        assert_type(handle, JobHandle[dict[str, int]])
        assert_type(await handle.result(), dict[str, int])
        assert_type(await (await greet.submit(name="ada")).result(), str)
        assert_type(await (await resize.options(delay="0s").submit("u", Size(width=2))).result(), dict[str, int])
        assert_type(await (await sandbox.client.submit(greet.job("ada"))).result(), str)
        many = await sandbox.client.submit_many(greet.job(name) for name in ("ada", "bob"))
        assert_type(await many[0].result(), str)
        assert await many[1].result() == "Hello bob, this is try 1"


def no_type_checker_lets_this_pass() -> None:
    """Never called."""
    resize.job(size=Size(width=1))  # type: ignore[call-overload]
    resize.job("u", Size(width=1), colour=1)  # type: ignore[call-overload]
    resize.job("u", 3)  # type: ignore[call-overload]
    greet.job(nam="ada")  # type: ignore[call-arg]
    greet.job(JobContext, "ada")  # type: ignore[call-arg]
    resize.options(delya="5m")  # type: ignore[call-arg]
    app.job("x", queu="y")  # type: ignore[call-arg]


def test_a_client_of_the_environment_is_made_when_none_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOTASK_URL", "nats://queue.example:4222")
    lonely = App()
    assert lonely.client is lonely.client
    own = Client("nats://other.example:4222")
    lonely.client = own
    lonely.lend(Client())
    assert lonely.client is own
