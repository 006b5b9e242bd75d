"""GET /jobs, /jobs/{id}; POST /jobs/{id}/cancel, /retry; DELETE /jobs/{id}."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gotask.gateway.jobs import Jobs
from gotask.gateway.rest.gate import AdmittedCaller
from gotask.gateway.rest.job_document import full_job_document, job_document
from gotask.gateway.rest.messages import respond
from gotask.gateway.rest.openapi import answers
from gotask.gateway.rest.params import JobParams, ListParams
from gotask.gateway.rest.schemas import FullJob, Job, JobList


class JobEndpoints:
    """Looks at jobs and commands them."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def register(self, router: APIRouter, prefix: str) -> None:
        one = f"{prefix}/jobs/{{job_id}}"
        router.add_api_route(
            f"{prefix}/jobs",
            self.list_jobs,
            methods=["GET"],
            tags=["jobs"],
            responses=answers({200: JobList}, 422, 503),
        )
        router.add_api_route(
            one, self.get_job, methods=["GET"], tags=["jobs"], responses=answers({200: FullJob}, 404, 422, 503)
        )
        router.add_api_route(
            one,
            self.delete_job,
            methods=["DELETE"],
            tags=["jobs"],
            status_code=204,
            responses=answers({204: None}, 404, 409, 503),
        )
        for verb, endpoint in {"cancel": self.cancel_job, "retry": self.retry_job}.items():
            router.add_api_route(
                f"{one}/{verb}",
                endpoint,
                methods=["POST"],
                tags=["jobs"],
                responses=answers({200: Job}, 404, 409, 503),
            )

    async def list_jobs(self, caller: AdmittedCaller, params: Annotated[ListParams, Query()]) -> Response:
        """Jobs that match every parameter that is given, newest first."""
        page = await self._jobs.list_jobs(caller, params.criteria(), params.cursor, params.limit)
        return respond({"items": [job_document(job) for job in page.jobs], "next_cursor": page.next_cursor or None})

    async def get_job(self, caller: AdmittedCaller, job_id: str, params: Annotated[JobParams, Query()]) -> Response:
        """A job with its history. With ``wait``, once it has ended."""
        job = await (
            self._jobs.wait(caller, job_id, params.wait / 1e6) if params.wait else self._jobs.get(caller, job_id)
        )
        return respond(full_job_document(job))

    async def cancel_job(self, caller: AdmittedCaller, job_id: str) -> Response:
        """A waiting job is cancelled at once; a running one is told to end, and shows ``cancel_requested``."""
        return respond(job_document(await self._jobs.cancel(caller, job_id)))

    async def retry_job(self, caller: AdmittedCaller, job_id: str) -> Response:
        """A job that failed, is dead, cancelled or expired becomes pending again; its history is kept."""
        return respond(job_document(await self._jobs.retry(caller, job_id)))

    async def delete_job(self, caller: AdmittedCaller, job_id: str) -> Response:
        """Forgets a job that has ended."""
        await self._jobs.delete(caller, job_id)
        return Response(status_code=204)
