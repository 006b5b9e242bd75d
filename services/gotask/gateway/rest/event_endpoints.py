"""GET /jobs/{id}/events and /events: live, as server-sent events."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from gotask import v1
from gotask.bus.happened import Happened
from gotask.bus.subjects import KIND_TOKENS
from gotask.gateway.access.caller import Caller
from gotask.gateway.feed import Feed
from gotask.gateway.following import Following
from gotask.gateway.rest.event_document import event_document
from gotask.gateway.rest.event_stream import EventStream, event, last_event_id, opening
from gotask.gateway.rest.gate import AdmittedCaller
from gotask.gateway.rest.job_document import full_job_document
from gotask.gateway.rest.openapi import answers
from gotask.gateway.rest.params import EventParams
from gotask.gateway.settings import GatewaySettings

_JOB_STREAM = """\
Each event is named after its kind, and holds a JobEvent; the event `job` holds a FullJob: it comes first, when events \
may have been missed, and last, when the job has ended. `cut` holds a Problem: the server ends the stream."""
_STREAM = """\
Each event is named after its kind, and holds a JobEvent. `gap` (with no content) tells that events before it are kept \
no longer. `cut` holds a Problem: the server ends the stream, because the client is too slow."""


class EventEndpoints:
    """Tells what happens while it happens."""

    def __init__(self, settings: GatewaySettings, following: Following, feed: Feed) -> None:
        self._longest_s = settings.stream_max_age
        self._following = following
        self._feed = feed

    def register(self, router: APIRouter, prefix: str) -> None:
        router.add_api_route(
            f"{prefix}/jobs/{{job_id}}/events",
            self.get_job_events,
            methods=["GET"],
            tags=["jobs"],
            status_code=200,
            response_class=EventStream,
            responses=answers({}, 404, 429, 503) | {200: _stream_of(_JOB_STREAM)},
        )
        router.add_api_route(
            f"{prefix}/events",
            self.get_events,
            methods=["GET"],
            tags=["events"],
            status_code=200,
            response_class=EventStream,
            responses=answers({}, 422, 429, 503) | {200: _stream_of(_STREAM)},
            openapi_extra={"parameters": [_LAST_EVENT_ID]},
        )

    async def get_job_events(self, caller: AdmittedCaller, job_id: str) -> Response:
        """Follows a job to its end. To resume, ask again: the job as it stands comes first."""
        return await self._stream(_job_chunks(self._following.follow(caller, job_id)))

    async def get_events(
        self, caller: AdmittedCaller, request: Request, params: Annotated[EventParams, Query()]
    ) -> Response:
        """Follows what happens to all jobs, from now on or from a cursor: each event's id is the cursor after it.

        A browser's EventSource comes back with the last one by itself, and misses nothing.
        """
        return await self._stream(_chunks(self._events(caller, last_event_id(request), params)))

    def _events(self, caller: Caller, last_id: str, params: EventParams) -> AsyncGenerator[Happened, None]:
        return self._feed.events(caller, params.queue, [_KINDS[kind] for kind in params.kind], last_id or params.cursor)

    async def _stream(self, chunks: AsyncGenerator[bytes, None]) -> Response:
        return EventStream(await anext(chunks), chunks, self._longest_s)


_KINDS = {token: kind for kind, token in KIND_TOKENS.items()}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event that was taken: go on after it. Counts more than the parameter cursor.",
    "schema": {"type": "string"},
}


def _stream_of(text: str) -> dict[str, Any]:
    """An answer of events, each of which has these fields."""
    fields = {name: {"type": "string"} for name in ("event", "data", "id")} | {"retry": {"type": "integer"}}
    return {
        "description": text,
        "content": {EventStream.media_type: {"schema": {"type": "object", "properties": fields}}},
    }


async def _job_chunks(updates: AsyncGenerator[v1.JobUpdate, None]) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(updates):
        first = True
        async for update in updates:
            if update.HasField("job"):
                chunk = event("job", full_job_document(update.job))
            else:
                document = event_document(update.event)
                chunk = event(document["kind"], document)
            yield opening() + chunk if first else chunk
            first = False


async def _chunks(feed: AsyncGenerator[Happened, None]) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(feed):
        async for happened in feed:
            chunk = event("gap", {}, str(happened.after)) if happened.gap else b""
            chunk += b"".join(_event(str(cursor), told) for cursor, told in happened.events)
            yield chunk or opening(str(happened.after))


def _event(cursor: str, told: v1.JobEvent) -> bytes:
    document = event_document(told)
    return event(document["kind"], document, cursor)
