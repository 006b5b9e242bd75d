"""The REST API, asked with somebody's credentials."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import orjson

_TIMEOUT_S = 30.0
_SILENCE_S = 40.0
_PREFIX = "/api/v1"
_INVALID = 422


class ApiError(Exception):
    """The gateway refused, or did not answer (status 0). The text is for people."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Api:
    """The calls of one caller."""

    def __init__(self, client: httpx.AsyncClient, credentials: str = "") -> None:
        """
        :param credentials: an API key or a token; nothing, where nobody has to say who they are.
        """
        self._client = client
        self._headers = {"Authorization": f"Bearer {credentials}"} if credentials else {}

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """ApiError when it is refused; so do the others."""
        return await self._call("GET", path, params=params)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self._call("POST", path, body)

    async def put(self, path: str, body: Any) -> Any:
        return await self._call("PUT", path, body)

    async def delete(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return await self._call("DELETE", path, params=params)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """The stream of all events from now on, in pieces of any size."""
        timeout = httpx.Timeout(_TIMEOUT_S, read=_SILENCE_S)
        try:
            async with self._client.stream(
                "GET", f"{_PREFIX}/events", headers=self._headers, timeout=timeout
            ) as response:
                if response.is_error:
                    raise _refused(response.status_code, await response.aread())
                yield response.aiter_raw()
        except httpx.HTTPError as error:
            raise _silent(self._client, error) from None

    async def _call(self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        content = None if body is None else orjson.dumps(body)
        headers = self._headers | ({"Content-Type": "application/json"} if content is not None else {})
        try:
            response = await self._client.request(
                method, f"{_PREFIX}{path}", params=params, content=content, headers=headers
            )
        except httpx.HTTPError as error:
            raise _silent(self._client, error) from None
        if response.is_error:
            raise _refused(response.status_code, response.content)
        return orjson.loads(response.content) if response.content else None


def segment(name: str) -> str:
    """*name* as a part of a path."""
    return quote(name, safe="")


def open_client(url: str, ca_file: str) -> httpx.AsyncClient:
    """Connections to the gateway at *url*; OSError when *ca_file* holds no certificates."""
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else True
    return httpx.AsyncClient(base_url=url.rstrip("/"), timeout=_TIMEOUT_S, verify=verify, trust_env=False)


def _silent(client: httpx.AsyncClient, error: Exception) -> ApiError:
    why = str(error) or type(error).__name__
    return ApiError(0, f"The gateway does not answer at {client.base_url} ({why}). See whether it runs.")


def _refused(status: int, content: bytes) -> ApiError:
    try:
        problem = orjson.loads(content)
        reasons = [f"{error['field']} {error['reason']}".strip() for error in problem.get("errors") or ()]
        return ApiError(status, "; ".join(reasons) if reasons and status == _INVALID else problem["detail"])
    except (ValueError, KeyError, TypeError):
        return ApiError(status, f"The gateway answered {status}.")
