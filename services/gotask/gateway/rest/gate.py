"""Every request passes here: who makes it, and may they?"""

from collections.abc import Collection
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.types import Scope

from gotask.gateway.access.authenticator import Credentials
from gotask.gateway.access.caller import Caller
from gotask.gateway.access.guard import Guard
from gotask.gateway.access.rules import REST

_CALLER = "gotask.caller"


class Gate:
    """Admits requests, as a dependency of the whole application: no endpoint runs before."""

    def __init__(self, guard: Guard, open_calls: Collection[str]) -> None:
        """
        :param open_calls: need no credentials.
        """
        self._guard = guard
        self._open = open_calls

    async def __call__(self, request: Request) -> None:
        """CommandError for a request that is not admitted."""
        call = f"{request.method} {request.scope['route'].path}"
        if call not in self._open:
            self.admit(request, call)

    def admit(self, request: Request, call: str) -> None:
        """As the call, such as ``POST /api/v1/jobs``, that has been found to be the request's."""
        request.scope[_CALLER] = self._guard.admit(call, REST.get(call), _credentials(request.scope))


def _credentials(scope: Scope) -> Credentials:
    authorization = api_key = ""
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = str(value, "latin-1")
        elif name == b"x-api-key":
            api_key = str(value, "latin-1")
    client = scope["client"]
    return Credentials(authorization, api_key, client[0] if client else "")


def caller_of(request: Request) -> Caller:
    """Who makes an admitted request."""
    caller: Caller = request.scope[_CALLER]
    return caller


async def _admitted(request: Request) -> Caller:
    return caller_of(request)


AdmittedCaller = Annotated[Caller, Depends(_admitted)]
"""An endpoint's parameter that holds who makes the request."""
