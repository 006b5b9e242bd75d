"""Handlers: how they are registered, found, and given their arguments."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gotask import v1
from gotask.sdk import App, JobContext, Retry
from gotask.sdk.binding import Binder, InvalidPayload
from gotask.sdk.loading import AppNotFound, load_app, load_apps
from tests.sdk.support import context


class Size(BaseModel):
    width: int


async def resize(url: str, size: Size, context: JobContext, quality: int = 80) -> None: ...


def test_members_become_arguments_of_their_types() -> None:
    given = context()
    bound = Binder(resize).bind({"url": "u", "size": {"width": "7"}}, given)
    assert bound == {"url": "u", "size": Size(width=7), "context": given}


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({"url": "u"}, r"payload\.size: is missing"),
        ({"url": "u", "size": {"width": "wide"}}, r"payload\.size\.width: "),
        ({"url": "u", "size": {"width": 1}, "colour": 1}, r"payload\.colour: is not known; .*'url', 'size', 'quality'"),
        ([1, 2], r"payload: an object with 'url', 'size', 'quality' is needed, not list"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_by_name(payload: Any, complaint: str) -> None:
    with pytest.raises(InvalidPayload, match=complaint):
        Binder(resize).bind(payload, context())


def test_one_parameter_called_payload_takes_it_whole() -> None:
    def whole(payload: Any) -> None: ...

    def typed(payload: dict[str, int]) -> None: ...

    assert Binder(whole).bind([1], context()) == {"payload": [1]}
    assert Binder(whole).bind(None, context()) == {"payload": None}
    with pytest.raises(InvalidPayload, match=r"payload\.a: "):
        Binder(typed).bind({"a": "x"}, context())


def test_other_forms() -> None:
    def none() -> None: ...

    def one(number: int) -> None: ...

    def anything(**rest: Any) -> None: ...

    assert Binder(none).bind(None, context()) == {}
    assert Binder(one).bind(5, context()) == {"number": 5}
    assert Binder(anything).bind({"x": 1}, context()) == {"x": 1}


def test_types_are_registered_once_and_well_named() -> None:
    app = App()

    @app.job("b")
    def second() -> None: ...

    @app.job("a")
    async def first() -> None: ...

    assert app.types == ["a", "b"]
    handlers = [app.handler(name) for name in app.types]
    assert [handler.is_async for handler in handlers if handler] == [True, False]
    assert app.handler("c") is None
    with pytest.raises(ValueError, match=r"has a handler already: .*first"):
        app.job("a")(second)
    with pytest.raises(ValueError, match="job type 'a b'"):
        app.job("a b")


def test_apps_are_put_together() -> None:
    first, second = App(), App(no_retry_on=(KeyError,))

    @first.job("a")
    def one() -> None: ...

    @second.job("b", no_retry_on=(ValueError,))
    def two() -> None: ...

    first.include(second)
    assert first.types == ["a", "b"]
    assert [handler.no_retry_on for handler in first.handlers] == [(), (KeyError, ValueError)]
    rival = App()
    rival.job("b")(one)
    with pytest.raises(ValueError, match="'b' has a handler already"):
        first.include(rival)


def test_an_app_knows_the_queues_of_its_handlers() -> None:
    app, other = App(), App()

    @app.job("send", queue="mail")
    def send() -> None: ...

    @other.job("print", queue="paper")
    def print_it() -> None: ...

    @other.job("count")
    def count() -> None: ...

    assert app.queues == ["default", "mail"]
    app.include(other)
    assert app.queues == ["default", "mail", "paper"]


def test_only_exceptions_can_be_declared_as_not_to_be_retried() -> None:
    with pytest.raises(TypeError, match="no_retry_on: 'ValueError' is not an exception class"):
        App().job("a", no_retry_on=("ValueError",))  # type: ignore[arg-type]


def test_progress_is_bounded_and_reported() -> None:
    told: list[tuple[str, v1.Progress]] = []
    spec = v1.JobSpec(id="j", type="t", queue="q")
    given = JobContext(spec, 1, 0, lambda job_id, progress: told.append((job_id, progress)))
    given.progress(40, "half way")
    assert [(job_id, progress.percent, progress.message) for job_id, progress in told] == [("j", 40, "half way")]
    with pytest.raises(ValueError, match="101"):
        given.progress(101)


def test_retry_reads_its_delay() -> None:
    assert Retry(after="90s").after_us == 90_000_000


def test_apps_are_found_by_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "found_here.py").write_text(
        "from gotask.sdk import App\njobs, more, other = App(), App(), 1\njobs.job('a')(lambda: None)\n"
    )
    assert load_app("found_here:jobs").types == ["a"]
    together = load_apps(["found_here:jobs", "found_here:more"])
    assert (together.types, together.places) == (["a"], ("found_here:jobs", "found_here:more"))
    for place, complaint in {
        "found_here": "write module:attribute",
        "not_here:app": "no module 'not_here'",
        "found_here:other": "is not an App; its apps are jobs, more",
    }.items():
        with pytest.raises(AppNotFound, match=complaint):
            load_app(place)
