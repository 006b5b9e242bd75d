"""Every request passes here: who makes it, and may they?"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from gotask.gateway.access.authenticator import Credentials
from gotask.gateway.access.caller import Caller
from gotask.gateway.access.guard import Guard
from gotask.gateway.access.rules import OPEN, REST
from gotask.gateway.rest.messages import header

_CALLER = "gotask.caller"


class Gate:
    """Admits requests, as a dependency of the whole application: no endpoint runs before."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def __call__(self, request: Request) -> None:
        """CommandError for a request that is not admitted."""
        call = f"{request.method} {request.scope['route'].path}"
        if call not in OPEN:
            self.admit(request, call)

    def admit(self, request: Request, call: str) -> None:
        """As the call, such as ``POST /api/v1/jobs``, that has been found to be the request's."""
        credentials = Credentials(
            header(request, b"authorization") or "",
            header(request, b"x-api-key") or "",
            request.client.host if request.client else "",
        )
        request.scope[_CALLER] = self._guard.admit(call, REST.get(call), credentials)


def caller_of(request: Request) -> Caller:
    """Who makes an admitted request."""
    caller: Caller = request.scope[_CALLER]
    return caller


async def _admitted(request: Request) -> Caller:
    return caller_of(request)


AdmittedCaller = Annotated[Caller, Depends(_admitted)]
"""An endpoint's parameter that holds who makes the request."""
