"""A route that FastAPI describes and Starlette runs."""

from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import request_response


class BareRoute(APIRoute):
    """For endpoints that take the Request and return the Response.

    They have nothing that FastAPI would solve or serialize, and without looking for it a request costs a third less.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.app = request_response(self.endpoint)
