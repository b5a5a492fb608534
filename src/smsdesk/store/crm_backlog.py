"""What waits for tenants' CRMs and what they would not do, for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that waits, is being done, or failed."""

    job_id: int
    chat_id: int
    kind: str
    state: str
    attempt: int
    reason: str | None
    created_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """A tenant's CRM as it is set up, and what waits for it."""

    subdomain: str
    config: dict[str, Any]
    """With its `type`."""
    queued: int
    failed: int
    oldest: datetime | None
    """When the oldest that waits was made."""
    waits_because: str | None
    failed_because: str | None
    """Why one of them does."""


async def list_jobs(conn: Connection, tenant_id: int, states: Sequence[str], limit: int, offset: int) -> list[OpenJob]:
    """A page of the jobs that wait or failed, the oldest first."""
    rows = await conn.fetch(
        """
        select job_id, chat_id, kind, state, attempt, reason, created_at, due_at from crm_jobs
        where tenant_id = $1 and state in ('queued', 'failed') and state = any ($2)
        order by created_at, job_id limit $3 offset $4
        """,
        tenant_id, states, limit, offset,
    )  # fmt: skip
    return [OpenJob(*row) for row in rows]


async def count_jobs(conn: Connection, tenant_id: int, states: Sequence[str]) -> int:
    """How many there are."""
    count: int = await conn.fetchval(
        "select count(*) from crm_jobs where tenant_id = $1 and state in ('queued', 'failed') and state = any ($2)",
        tenant_id, states,
    )  # fmt: skip
    return count


async def lock_job(conn: Connection, tenant_id: int, job_id: int) -> OpenJob | None:
    """A job, whatever its state, held until the transaction ends."""
    row = await conn.fetchrow(
        """
        select job_id, chat_id, kind, state, attempt, reason, created_at, due_at from crm_jobs
        where tenant_id = $1 and job_id = $2 for no key update
        """,
        tenant_id,
        job_id,
    )
    return OpenJob(*row) if row else None


async def retry_jobs(conn: Connection, tenant_id: int, job_ids: Sequence[int] | None, now: datetime) -> int:
    """Puts jobs back into the queue as if they were new; None is all that failed: how many."""
    rows = await conn.fetch(
        """
        update crm_jobs set state = 'queued', due_at = $3, attempt = 0
        where tenant_id = $1 and state in ('queued', 'failed')
          and (job_id = any ($2) or $2::bigint[] is null and state = 'failed')
        returning job_id
        """,
        tenant_id, job_ids, now,
    )  # fmt: skip
    return len(rows)


async def read_backlogs(conn: Connection) -> list[Backlog]:
    """Each tenant's CRM and what waits for it: a look across tenants, without locks."""
    rows = await conn.fetch(
        """
        select t.subdomain, t.settings -> 'crm', j.queued, j.failed, j.oldest, j.waits_because, j.failed_because
        from tenants t
        cross join lateral (
            select count(*) filter (where j.state = 'queued') as queued,
                   count(*) filter (where j.state = 'failed') as failed,
                   min(j.created_at) filter (where j.state = 'queued') as oldest,
                   max(j.reason) filter (where j.state = 'queued') as waits_because,
                   max(j.reason) filter (where j.state = 'failed') as failed_because
            from crm_jobs j where j.tenant_id = t.tenant_id and j.state in ('queued', 'failed')
        ) j
        where t.settings ? 'crm' order by t.subdomain
        """
    )
    return [Backlog(*row) for row in rows]
