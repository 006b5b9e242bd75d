"""POST /jobs and /jobs/batch."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from gotask import v1
from gotask.bus.errors import CommandError
from gotask.gateway.access.rates import Rates
from gotask.gateway.jobs import How, Jobs, Submitted
from gotask.gateway.refusals import refusal_of
from gotask.gateway.rest.gate import caller_of
from gotask.gateway.rest.job_document import job_document
from gotask.gateway.rest.messages import header, parse, read_body, respond
from gotask.gateway.rest.openapi import answers, body_of
from gotask.gateway.rest.problems import problem_from
from gotask.gateway.rest.schemas import BatchAnswer, Job
from gotask.gateway.settings import GatewaySettings
from gotask.jobs import limits
from gotask.jobs.ids import new_id
from gotask.jobs.request import JobRequest
from gotask.jobs.validation import InvalidJob
from gotask.service.clock import Clock

_STATUSES = {How.CREATED: 201, How.EXISTED: 200, How.ACCEPTED: 202}
_KEY_HEADER = "Idempotency-Key"
_KEY_HEADER_RAW = _KEY_HEADER.lower().encode()
_KEY_PARAMETER = {
    "name": _KEY_HEADER,
    "in": "header",
    "description": "The same as the field idempotency_key.",
    "schema": {"type": "string", "minLength": 1, "maxLength": limits.KEY_LENGTH},
}


class BatchRequest(BaseModel):
    """Jobs, each of which is then looked at on its own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    jobs: Annotated[list[Any], Field(min_length=1, max_length=1_000)]


class SubmitEndpoints:
    """Takes jobs in."""

    def __init__(self, settings: GatewaySettings, clock: Clock, jobs: Jobs, rates: Rates) -> None:
        self._max_payload_bytes = settings.max_payload_bytes
        self._max_body_bytes = settings.max_body_bytes
        self._max_batch_body_bytes = settings.max_batch_body_bytes
        self._clock = clock
        self._jobs = jobs
        self._rates = rates

    def register(self, router: APIRouter, prefix: str) -> None:
        router.add_api_route(
            f"{prefix}/jobs",
            self.create_job,
            methods=["POST"],
            tags=["jobs"],
            status_code=201,
            responses=answers({201: Job, 200: Job, 202: Job}, 400, 409, 413, 422, 429, 503),
            openapi_extra={"parameters": [_KEY_PARAMETER], **body_of("JobRequest")},
        )
        router.add_api_route(
            f"{prefix}/jobs/batch",
            self.create_jobs,
            methods=["POST"],
            tags=["jobs"],
            responses=answers({200: BatchAnswer}, 400, 413, 422),
            openapi_extra=body_of("BatchRequest"),
        )

    async def create_job(self, request: Request) -> Response:
        """Submits a job.

        - **201**: it is stored; this is how it stands.
        - **200**: a job with its idempotency key, or an unfinished one with its unique key, was there before; this is
          that one.
        - **202**: it is safe with the broker and will run, but no queue-manager has answered yet. Defaults of its
          queue are not known, and null.
        - **429**: its queue is full. Nothing was stored.
        - **503**: it was not accepted; the detail says whether it may have been stored nevertheless.
        """
        body = await read_body(request, self._max_body_bytes)
        wanted = parse(JobRequest, body)
        key = header(request, _KEY_HEADER_RAW)
        if key is not None:
            _take_key(wanted, key)
        (outcome,) = await self._jobs.submit(caller_of(request), [self._spec(wanted)])
        if isinstance(outcome, CommandError):
            raise outcome
        location = {"Location": f"{request.scope['path']}/{outcome.job.spec.id}"}
        return respond(job_document(outcome.job), _STATUSES[outcome.how], location)

    async def create_jobs(self, request: Request) -> Response:
        """Submits up to 1,000 jobs.

        The answer is 200 whenever the batch could be read. It holds one item per job, in order: the status that the
        job would have got on its own, and the job or the problem. Jobs that are wrong do not keep the others from
        being submitted.
        """
        body = await read_body(request, self._max_batch_body_bytes)
        if header(request, _KEY_HEADER_RAW) is not None:
            raise InvalidJob(_KEY_HEADER, "give each job an idempotency_key of its own")
        items: list[dict[str, Any]] = []
        specs: list[v1.JobSpec] = []
        places: list[int] = []
        caller = caller_of(request)
        wanted = parse(BatchRequest, body).jobs
        self._rates.add(caller, len(wanted) - 1)
        for index, each in enumerate(wanted):
            try:
                specs.append(self._spec(JobRequest.model_validate(each)))
            except (ValidationError, InvalidJob) as error:
                items.append(_refused(index, error))
            else:
                places.append(index)
                items.append({})
        for index, outcome in zip(places, await self._jobs.submit(caller, specs), strict=True):
            items[index] = _refused(index, outcome) if isinstance(outcome, CommandError) else _taken(outcome)
        return respond({"items": items})

    def _spec(self, wanted: JobRequest) -> v1.JobSpec:
        return wanted.to_spec(new_id(), self._clock.now_us(), self._max_payload_bytes)


def _take_key(wanted: JobRequest, key: str) -> None:
    if not 1 <= len(key) <= limits.KEY_LENGTH:
        raise InvalidJob(_KEY_HEADER, f"use 1 to {limits.KEY_LENGTH} characters")
    if wanted.idempotency_key not in (None, key):
        raise InvalidJob("idempotency_key", f"differs from the header {_KEY_HEADER}")
    wanted.idempotency_key = key


def _taken(outcome: Submitted) -> dict[str, Any]:
    return {"status": _STATUSES[outcome.how], "job": job_document(outcome.job)}


def _refused(index: int, error: Exception) -> dict[str, Any]:
    problem = problem_from(refusal_of(error).below(f"jobs.{index}"))
    return {"status": problem.status, "error": problem.document()}
