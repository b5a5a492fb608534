"""What is to be told to a tenant's CRM or asked from it, and what the CRM said.

A job that is being done stays `queued` with its `due_at` at the end of its lease and without a reason; its attempt is
what whoever ends it must name.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that is ours until its lease ends."""

    job_id: int
    chat_id: int
    kind: str
    attempt: int
    """1 for the first."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CrmChat:
    """What a CRM is told of a chat, and what it has said of it."""

    subdomain: str
    number: str
    identifier: str | None
    out_contact_id: str | None
    direction: str
    ticket_id: str | None
    out_ticket_id: str | None
    out_ticket_url: str | None
    is_conversation: bool
    """Whether the consumer said anything."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a CRM said of a chat and its consumer; None changes nothing."""

    contact_id: str | None = None
    ticket_id: str | None = None
    ticket_url: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended."""

    state: str
    """`done`, `failed`, or `queued` to be tried again."""
    due_at: datetime
    """When, for one that is tried again."""
    reason: str | None = None


async def find_crm(conn: Connection, tenant_id: int) -> dict[str, Any] | None:
    """The tenant's CRM as the set-up file named it, `type` and all."""
    found: dict[str, Any] | None = await conn.fetchval(
        "select settings -> 'crm' from tenants where tenant_id = $1", tenant_id
    )
    return found


async def add_job(conn: Connection, tenant_id: int, job_id: int, chat_id: int, kind: str, now: datetime) -> None:
    """Puts a job into the queue, where the tenant has a CRM and the chat has had none of the kind."""
    await conn.execute(
        """
        insert into crm_jobs (tenant_id, job_id, chat_id, kind, due_at, created_at)
        select t.tenant_id, $2, $3, $4, $5, $5 from tenants t
        where t.tenant_id = $1 and t.settings ? 'crm'
          and not exists (select from crm_jobs j
                          where j.tenant_id = $1 and j.chat_id = $3 and j.chat_id > 0 and j.kind = $4)
        """,
        tenant_id, job_id, chat_id, kind, now,
    )  # fmt: skip


async def find_due(conn: Connection, now: datetime) -> list[int]:
    """The tenants with a CRM that have jobs to do: a look across tenants, without locks."""
    rows = await conn.fetch(
        """
        select t.tenant_id from tenants t
        where t.settings ? 'crm' and exists (
            select from crm_jobs j where j.tenant_id = t.tenant_id and j.state = 'queued' and j.due_at <= $1)
        """,
        now,
    )
    return [row[0] for row in rows]


async def claim(conn: Connection, tenant_id: int, now: datetime, until: datetime, limit: int) -> list[ClaimedJob]:
    """Takes due jobs, the longest due first, until a lease ends. The jobs of a chat go one after the other: what a
    later one needs, an earlier one finds out."""
    rows = await conn.fetch(
        """
        update crm_jobs j set due_at = $3, attempt = j.attempt + 1, reason = null
        from (
            select w.job_id from crm_jobs w
            where w.tenant_id = $1 and w.state = 'queued' and w.due_at <= $2 and not exists (
                select from crm_jobs e
                where e.tenant_id = $1 and e.chat_id = w.chat_id and e.chat_id > 0 and e.state = 'queued'
                  and (e.created_at, e.job_id) < (w.created_at, w.job_id))
            order by w.due_at, w.job_id limit $4 for no key update skip locked
        ) p
        where j.tenant_id = $1 and j.job_id = p.job_id
        returning j.job_id, j.chat_id, j.kind, j.attempt, j.created_at
        """,
        tenant_id, now, until, limit,
    )  # fmt: skip
    return [ClaimedJob(*row) for row in rows]


async def find_crm_chat(conn: Connection, tenant_id: int, chat_id: int) -> CrmChat:
    """The chat of a job."""
    row = await conn.fetchrow(
        """
        select t.subdomain, e.number, e.identifier, e.out_contact_id, c.direction, c.ticket_id, c.out_ticket_id,
               c.out_ticket_url, exists (
                   select from messages m where m.tenant_id = $1 and m.chat_id = $2 and m.sender = 'end_user')
        from chats c
        join tenants t on t.tenant_id = c.tenant_id
        join end_users e on e.tenant_id = c.tenant_id and e.end_user_id = c.end_user_id
        where c.tenant_id = $1 and c.chat_id = $2
        """,
        tenant_id,
        chat_id,
    )
    assert row is not None, "a job names its chat by a foreign key"
    return CrmChat(*row)


async def end_attempt(conn: Connection, tenant_id: int, job: ClaimedJob, ended: Ended, now: datetime) -> bool:
    """Ends the attempt; False where the lease ran out and another attempt has begun."""
    done = await conn.fetchval(
        """
        update crm_jobs set state = $4, due_at = $5, reason = $6,
                            done_at = case when $4 = 'done' then $7::timestamptz end
        where tenant_id = $1 and job_id = $2 and attempt = $3 and state = 'queued' returning true
        """,
        tenant_id, job.job_id, job.attempt, ended.state, ended.due_at, ended.reason, now,
    )  # fmt: skip
    return done is not None


async def write_learned(conn: Connection, tenant_id: int, chat_id: int, learned: Learned) -> None:
    """Writes down what the CRM said. A contact that is known stays: its CRM may have merged it with another since."""
    await conn.execute(
        "update chats set out_ticket_id = $3, out_ticket_url = $4"
        " where tenant_id = $1 and chat_id = $2 and $3::text is not null and out_ticket_id is null",
        tenant_id, chat_id, learned.ticket_id, learned.ticket_url,
    )  # fmt: skip
    await conn.execute(
        """
        update end_users e set out_contact_id = $3 from chats c
        where c.tenant_id = $1 and c.chat_id = $2 and e.tenant_id = $1 and e.end_user_id = c.end_user_id
          and $3::text is not null and e.out_contact_id is null
        """,
        tenant_id, chat_id, learned.contact_id,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", chat_id))
