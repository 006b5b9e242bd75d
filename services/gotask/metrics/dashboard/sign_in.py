"""/sign-in and /sign-out: plain forms, so that password managers know them."""

from urllib.parse import quote

from fastapi import FastAPI, Form
from nicegui import ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gotask.metrics.dashboard.api import ApiError
from gotask.metrics.dashboard.formats import safe
from gotask.metrics.dashboard.frame import MARK, looks
from gotask.metrics.dashboard.markup import raw
from gotask.metrics.dashboard.sessions import Sessions

_SEE_OTHER = 303


def sign_in_first(request: Request) -> Response:
    """Sends a browser to the page of the sign-in, and back when that is done."""
    return RedirectResponse(f"/sign-in?to={quote(request.url.path)}", _SEE_OTHER)


def add_sign_in(app: FastAPI, sessions: Sessions) -> None:
    """The page, and what its forms are sent to."""

    @ui.page("/sign-in", title="Sign in · GoTask")
    def shown(request: Request) -> None:
        looks(request)
        with ui.element("div").classes("page"), ui.element("div").classes("card sign-in"):
            raw(f"{MARK} GoTask", "div").classes("brand")
            raw("Sign in", "h1")
            raw(_form(request.query_params.get("to", "/"), request.query_params.get("problem", "")))

    @app.post("/sign-in")
    async def sign_in(request: Request, key: str = Form(), to: str = Form("/")) -> Response:
        target = _inside(to)
        response = RedirectResponse(target, _SEE_OTHER)
        try:
            await sessions.sign_in(key.strip(), response, secure=request.url.scheme == "https")
        except (ApiError, UnicodeError) as error:
            problem = str(error) if isinstance(error, ApiError) else "That is no key or token."
            return RedirectResponse(f"/sign-in?to={quote(target)}&problem={quote(problem)}", _SEE_OTHER)
        return response

    @app.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        response = RedirectResponse("/sign-in", _SEE_OTHER)
        await sessions.sign_out(request, response)
        return response


def _inside(target: str) -> str:
    """Paths of this site alone: nobody is sent elsewhere by a link to the sign-in."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def _form(to: str, problem: str) -> str:
    notice = f'<div class="notice" role="alert">{safe(problem)}</div>' if problem else ""
    return (
        f'<form method="post" action="/sign-in">{notice}<input type="hidden" name="to" value="{safe(_inside(to))}">'
        '<div class="field"><label for="key">API key or token</label>'
        '<input id="key" name="key" type="password" required autofocus autocomplete="current-password"></div>'
        '<span class="muted">It is passed on to the gateway, and may do here what it may do there.</span>'
        '<button class="btn btn-main">Sign in</button></form>'
    )
