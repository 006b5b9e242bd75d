"""What all pages share: the head with its links, and the looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from nicegui import ui
from starlette.requests import Request

from gotask.metrics.dashboard.formats import safe
from gotask.metrics.dashboard.markup import raw

LINKS = {
    "/": "Overview",
    "/queues": "Queues",
    "/jobs": "Jobs",
    "/dead": "Dead letters",
    "/schedules": "Schedules",
    "/workers": "Workers",
}
_THEME = "gotask_theme"
_CSS = resources.files("gotask.metrics.dashboard").joinpath("theme.css").read_text()
MARK = (
    '<svg width="22" height="22" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.4" '
    'stroke-linecap="round" aria-hidden="true"><path d="M4 6h10M4 12h16M4 18h7"/><circle cx="19" cy="6" r="1.6"/></svg>'
)
_TOGGLE = f"""() => {{
  const dark = !document.body.classList.contains('body--dark');
  Quasar.Dark.set(dark);
  document.cookie = '{_THEME}=' + (dark ? 'dark' : 'light') + ';path=/;max-age=31536000;samesite=strict';
}}"""


def looks(request: Request) -> None:
    """Colours and fonts; dark or light as chosen, else as the system has it."""
    ui.add_css(_CSS)
    ui.colors(primary="#3556c8", negative="#b3261e", positive="#17703a")
    chosen = request.cookies.get(_THEME)
    # It takes effect a moment after the page is there: where nothing was chosen yet, it would undo a quick first one.
    if chosen in ("dark", "light"):
        ui.dark_mode(chosen == "dark")


@contextmanager
def frame(request: Request, *, named: bool) -> Iterator[None]:
    """The page's content goes inside.

    :param named: somebody signed in, and can sign out.
    """
    looks(request)
    raw("Skip to content", "a").props('href="#content"').classes("skip")
    with ui.element("header").classes("top"), ui.element("div").classes("top-row"):
        raw(f'<a class="brand" href="/">{MARK}GoTask</a>', "div").classes("brand-box")
        raw(_links(request.url.path), "nav").classes("nav").props('aria-label="Pages"')
        with ui.element("div").classes("top-tools"):
            theme = ui.element("button").classes("row-btn").props('type=button aria-label="Dark or light"')
            with theme:
                raw("◐", "span").props("aria-hidden=true")
            theme.on("click", js_handler=_TOGGLE)
            if named:
                raw('<form method="post" action="/sign-out"><button class="row-btn">Sign out</button></form>')
    with ui.element("div").classes("page").props("id=content tabindex=-1"):
        yield


@contextmanager
def head(title: str, note: str = "") -> Iterator[None]:
    """The page's title; its buttons go inside."""
    with ui.element("div").classes("page-head"):
        raw(safe(title), "h1")
        if note:
            raw(safe(note), "span").classes("muted")
        raw("").classes("grow")
        yield


def _links(path: str) -> str:
    return "".join(f'<a href="{to}"{_current(path, to)}>{safe(text)}</a>' for to, text in LINKS.items())


def _current(path: str, to: str) -> str:
    here = path == to or (to != "/" and path.startswith(f"{to}/"))
    return ' aria-current="page"' if here else ""
