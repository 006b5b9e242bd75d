"""/schedules."""

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from gotask import v1
from gotask.bus.errors import Code, CommandError
from gotask.gateway.rest.gate import AdmittedCaller
from gotask.gateway.rest.messages import parse, read_body, respond
from gotask.gateway.rest.openapi import answers, body_of
from gotask.gateway.rest.params import PageParams
from gotask.gateway.rest.schedule_document import full_schedule_document, schedule_document
from gotask.gateway.rest.schemas import FullSchedule, ScheduleList
from gotask.gateway.schedules import Schedules
from gotask.gateway.settings import GatewaySettings
from gotask.jobs.ids import new_id
from gotask.jobs.schedule_request import ScheduleRequest
from gotask.jobs.schedules import check_schedule
from gotask.service.clock import Clock


class ScheduleEndpoints:
    """Looks at schedules and commands them."""

    def __init__(self, settings: GatewaySettings, clock: Clock, schedules: Schedules) -> None:
        self._max_body_bytes = settings.max_body_bytes
        self._max_payload_bytes = settings.max_payload_bytes
        self._clock = clock
        self._schedules = schedules
        self._jobs = ""

    def register(self, router: APIRouter, prefix: str) -> None:
        self._jobs = f"{prefix}/jobs"
        schedules, one = f"{prefix}/schedules", f"{prefix}/schedules/{{schedule_id}}"
        router.add_api_route(
            schedules,
            self.create_schedule,
            methods=["POST"],
            tags=["schedules"],
            status_code=201,
            responses=answers({201: FullSchedule}, 400, 409, 413, 422, 503),
            openapi_extra=body_of("ScheduleRequest"),
        )
        router.add_api_route(
            schedules,
            self.list_schedules,
            methods=["GET"],
            tags=["schedules"],
            responses=answers({200: ScheduleList}, 422, 503),
        )
        router.add_api_route(
            one,
            self.get_schedule,
            methods=["GET"],
            tags=["schedules"],
            responses=answers({200: FullSchedule}, 404, 503),
        )
        router.add_api_route(
            one,
            self.replace_schedule,
            methods=["PUT"],
            tags=["schedules"],
            responses=answers({200: FullSchedule}, 400, 404, 409, 413, 422, 503),
            openapi_extra=body_of("ScheduleRequest"),
        )
        router.add_api_route(
            one,
            self.delete_schedule,
            methods=["DELETE"],
            tags=["schedules"],
            status_code=204,
            responses=answers({204: None}, 404, 503),
        )
        for verb, endpoint in {"pause": self.pause_schedule, "resume": self.resume_schedule}.items():
            router.add_api_route(
                f"{one}/{verb}",
                endpoint,
                methods=["POST"],
                tags=["schedules"],
                responses=answers({200: FullSchedule}, 404, 503),
            )
        router.add_api_route(
            f"{one}/run",
            self.run_schedule,
            methods=["POST"],
            tags=["schedules"],
            status_code=202,
            responses=answers({202: FullSchedule}, 404, 503),
        )

    async def create_schedule(self, caller: AdmittedCaller, request: Request) -> Response:
        """Creates a schedule. The answer shows when it will fire next."""
        wanted = parse(ScheduleRequest, await read_body(request, self._max_body_bytes))
        schedule = await self._schedules.create(caller, self._checked(wanted, new_id()))
        return await self._shown(schedule, 201, f"{request.url.path}/{schedule.id}")

    async def replace_schedule(self, caller: AdmittedCaller, schedule_id: str, request: Request) -> Response:
        """Replaces all of a schedule but its history and whether it is paused.

        What is not given takes its default again. If it is to fire at other times than before, the next fire is the
        first of these from now on.
        """
        wanted = parse(ScheduleRequest, await read_body(request, self._max_body_bytes))
        await self._schedules.get(caller, schedule_id)
        return await self._shown(await self._schedules.replace(caller, self._checked(wanted, schedule_id)))

    async def list_schedules(self, caller: AdmittedCaller, params: Annotated[PageParams, Query()]) -> Response:
        """All schedules, by name."""
        found = await self._schedules.list_schedules(caller, _name_in(params.cursor), params.limit + 1)
        page = found[: params.limit]
        cursor = _cursor(page[-1].name) if len(found) > params.limit else None
        return respond({"items": [schedule_document(schedule) for schedule in page], "next_cursor": cursor})

    async def get_schedule(self, caller: AdmittedCaller, schedule_id: str) -> Response:
        """A schedule with its last fires, and how their jobs stand."""
        return await self._shown(await self._schedules.get(caller, schedule_id))

    async def delete_schedule(self, caller: AdmittedCaller, schedule_id: str) -> Response:
        """Deletes a schedule. Jobs that it has submitted stay."""
        await self._schedules.delete(caller, schedule_id)
        return Response(status_code=204)

    async def pause_schedule(self, caller: AdmittedCaller, schedule_id: str) -> Response:
        """It fires no more until it is resumed."""
        return await self._shown(await self._schedules.pause(caller, schedule_id))

    async def resume_schedule(self, caller: AdmittedCaller, schedule_id: str) -> Response:
        """Ends a pause. Ticks that came meanwhile count as missed: with ``"missed": "skip"`` they are let go."""
        return await self._shown(await self._schedules.resume(caller, schedule_id))

    async def run_schedule(self, caller: AdmittedCaller, schedule_id: str) -> Response:
        """Fires now, besides the ticks, whatever ``overlap`` says and also while it is paused. The job is on its way:
        it is the newest in ``fires``, and at Location."""
        schedule = await self._schedules.run(caller, schedule_id)
        job_id = next(fire.job_id for fire in schedule.fires if fire.kind == v1.FIRE_KIND_MANUAL)
        return await self._shown(schedule, 202, f"{self._jobs}/{job_id}")

    def _checked(self, wanted: ScheduleRequest, schedule_id: str) -> v1.Schedule:
        schedule = wanted.to_schedule(schedule_id, self._clock.now_us(), self._max_payload_bytes)
        check_schedule(schedule, self._max_payload_bytes)
        return schedule

    async def _shown(self, schedule: v1.Schedule, status: int = 200, location: str = "") -> Response:
        document = full_schedule_document(await self._schedules.history(schedule))
        return respond(document, status, {"Location": location} if location else None)


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _name_in(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise CommandError(Code.INVALID_ARGUMENT, "is not the next_cursor of a page", "cursor") from None
