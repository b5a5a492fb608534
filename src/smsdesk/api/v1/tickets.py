"""/apps/api/v1/tickets: what waits for the tenant's CRM, what it would not do, and trying that again.

An addition of ours to the imitated API.
"""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from smsdesk.actions.retry_crm_jobs import retry_crm_job, retry_failed_crm_jobs
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage
from smsdesk.store.crm_backlog import OpenJob, count_jobs, list_jobs

JobId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The job's `id`.")]


class JobObject(msgspec.Struct):
    """One thing to do at the CRM: find the consumer (`contact`), find the ticket that a send named (`link`), post the
    transcript. `next_attempt_at` is null for one that failed: it is not tried again by itself. `reason` is null for one
    that is new or being done."""

    id: int
    chat_id: int
    kind: Literal["contact", "link", "transcript"]
    status: Literal["queued", "failed"]
    attempts: int
    reason: str | None
    created_at: str
    next_attempt_at: str | None


class Retried(msgspec.Struct):
    """How many jobs are tried again."""

    jobs: int


@get("/jobs", summary="List what the CRM has not done", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    status: Annotated[
        Literal["queued", "failed"] | None, QueryParameter(description="Only jobs of this status.")
    ] = None,
) -> Response[list[JobObject]]:
    """Jobs for the CRM that wait or failed, each with its reason, the oldest first."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    states = [status] if status else ["queued", "failed"]
    async with services.db.connection() as conn:
        total = await count_jobs(conn, tenant_id, states)
        jobs = await list_jobs(conn, tenant_id, states, per, at.offset)
    return Response([_object(job) for job in jobs], headers=page_headers(request.url, at, total))


@post("/jobs/{job_id:int}/retry", status_code=200, summary="Try a job again", responses=REFUSALS)
async def retry(services: NamedDependency[Services], caller: NamedDependency[Caller], job_id: JobId) -> Retried:
    """Tries a job that failed, or that waits after a failure, again at once."""
    await retry_crm_job(services.db, caller.tenant.tenant_id, job_id, services.clock())
    return Retried(1)


@post("/jobs/retry", status_code=200, summary="Try all failed jobs again", responses=REFUSALS)
async def retry_all(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> Retried:
    """Tries every job that failed again, such as after a permission was missing in the CRM."""
    return Retried(await retry_failed_crm_jobs(services.db, caller.tenant.tenant_id, services.clock()))


def _object(job: OpenJob) -> JobObject:
    return JobObject(
        job.job_id, job.chat_id, job.kind, job.state, job.attempt, job.reason,  # type: ignore[arg-type]
        time(job.created_at), time(job.due_at) if job.state == "queued" else None,
    )  # fmt: skip


router = Router("/tickets", route_handlers=[list_all, retry, retry_all], tags=["Tickets"])
