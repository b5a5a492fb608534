"""A person has mended what kept the CRM from doing its part: its jobs are tried again now."""

from datetime import datetime

from smsdesk.errors import Problem
from smsdesk.store import crm_backlog
from smsdesk.store.db import Database


async def retry_crm_job(db: Database, tenant_id: int, job_id: int, now: datetime) -> None:
    """Tries one job again: one that failed, or that waits after a failure. Raises Problem `not_found`, or
    `parameter_invalid` for one that is done, or being done."""
    async with db.transaction() as conn:
        job = await crm_backlog.lock_job(conn, tenant_id, job_id)
        if job is None:
            raise Problem("not_found")
        # One that is being done bears no reason: to give it to a second worker could post its transcript twice.
        if job.state == "done" or (job.state == "queued" and job.reason is None):
            raise Problem("parameter_invalid", "the job is done, or being done now: there is nothing to try again")
        await crm_backlog.retry_jobs(conn, tenant_id, [job_id], now)


async def retry_failed_crm_jobs(db: Database, tenant_id: int, now: datetime) -> int:
    """Tries all that failed again: how many."""
    async with db.transaction() as conn:
        return await crm_backlog.retry_jobs(conn, tenant_id, None, now)
