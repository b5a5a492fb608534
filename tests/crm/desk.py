"""A tenant with a Zendesk account, chats with jobs for it, and workers that do them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from smsdesk.jobs.crm import CrmJobs
from smsdesk.jobs.crm_visit import Surroundings
from smsdesk.store.db import Connection, Database
from tests.crm.crm_worker import spoken
from tests.crm.serving import OURS, listening
from tests.crm.zendesk_account import EMAIL, TOKEN, Account, account_app
from tests.kit.api import Clock
from tests.kit.processes import until

ENVIRON = {"ZENDESK_TOKEN": TOKEN}


@dataclass
class Desk:
    """The rows of tenants and what the CRM of tenant 1 has."""

    db: Database
    account: Account
    url: str
    clock: Clock = field(default_factory=Clock)
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))

    @asynccontextmanager
    async def working(self, db: Database | None = None) -> AsyncIterator[None]:
        """A worker at work until the end of the block, stopped in good order."""
        around = Surroundings(db or self.db, self.environ, self.clock, lambda: 1.0, spoken)
        jobs = CrmJobs(around, structlog.get_logger(), self.seconds)
        task = asyncio.create_task(jobs.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled()

    def seconds(self) -> float:
        """The clock that only grows, as far as this one does."""
        return self.clock.now.timestamp()

    def setup(self, **more: Any) -> dict[str, Any]:
        """The CRM as a set-up file names it."""
        return {"type": "zendesk", "base_url": self.url, "email": EMAIL, "api_token": {"env": "ZENDESK_TOKEN"}, **more}

    async def add_tenant(self, tenant_id: int = 1, **more: Any) -> None:
        """A tenant with a number, and with a CRM."""
        async with self.db.connection() as conn:
            await conn.execute(
                "insert into tenants (tenant_id, subdomain, settings, created_at, changed_at)"
                " values ($1, $2, $3, now(), now())",
                tenant_id, f"tenant{tenant_id}", {"crm": self.setup(**more)},
            )  # fmt: skip
            await conn.execute(
                "insert into carriers (tenant_id, carrier_id, name, type) values ($1, 1, 'lab', 'lab')", tenant_id
            )
            await conn.execute(
                "insert into numbers (tenant_id, number, carrier_id) values ($1, $2, 1)", tenant_id, OURS
            )

    async def add_chat(
        self, chat_id: int, *kinds: str, tenant_id: int = 1, ticket_id: str | None = None, said: str | None = "hello"
    ) -> str:
        """An ended chat with a consumer of its own, who said this, and its jobs, a second apart: his number."""
        now, number = self.clock.now, f"+1415555{chat_id:04}"
        async with self.db.transaction() as conn:
            await conn.execute(
                "insert into end_users (tenant_id, end_user_id, number, created_at) values ($1, $2, $3, $4)",
                tenant_id, chat_id, number, now,
            )  # fmt: skip
            await conn.execute(
                """
                insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                                   ends_at, ticket_id)
                values ($1, $2, $2, $3, 'outbound', 'finished', $4, $4, $5)
                """,
                tenant_id, chat_id, OURS, now, ticket_id,
            )  # fmt: skip
            if said is not None:
                await conn.execute(
                    """
                    insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
                    values ($1, $2, $2, 'end_user', $3, 'gsm7', 1, $4)
                    """,
                    tenant_id, chat_id, said, now,
                )  # fmt: skip
            for position, kind in enumerate(kinds):
                await add_job(conn, tenant_id, 10 * chat_id + position, chat_id, kind, now)
        return number

    async def chat(self, chat_id: int, tenant_id: int = 1) -> tuple[str | None, str | None, str | None]:
        """Ticket, its page, and contact, as they are stored."""
        async with self.db.connection() as conn:
            row = await conn.fetchrow(
                "select out_ticket_id, out_ticket_url, out_contact_id from chats join end_users using (tenant_id,"
                " end_user_id) where tenant_id = $1 and chat_id = $2",
                tenant_id, chat_id,
            )  # fmt: skip
            return tuple(row)  # type: ignore[return-value]

    async def jobs(self, tenant_id: int = 1) -> dict[int, tuple[str, str | None]]:
        """State and reason of each job."""
        async with self.db.connection() as conn:
            rows = await conn.fetch("select job_id, state, reason from crm_jobs where tenant_id = $1", tenant_id)
            return {row[0]: (row[1], row[2]) for row in rows}

    async def wait_a_little(self) -> None:
        """Ten seconds go by, unless a job is being done: its lease is not to run out before a slow machine ends it."""
        async with self.db.connection() as conn:
            held = await conn.fetchval(
                "select count(*) from crm_jobs where state = 'queued' and attempt > 0 and reason is null"
            )
        if not held:
            self.clock.forward(seconds=10)

    async def all_done(self) -> bool:
        """Whether tenant 1 has no job left; time goes by while he has."""
        await self.wait_a_little()
        return {state for state, _ in (await self.jobs()).values()} == {"done"}

    async def due_at(self, job_id: int) -> datetime:
        async with self.db.connection() as conn:
            due_at: datetime = await conn.fetchval("select due_at from crm_jobs where job_id = $1", job_id)
            return due_at

    async def reached(self, job_id: int, state: str, says: str = "", tenant_id: int = 1) -> None:
        """Returns once the job is in the state with such a reason."""

        async def so() -> bool:
            found, reason = (await self.jobs(tenant_id))[job_id]
            return found == state and (not says or says in (reason or ""))

        await until(so, 30.0, f"job {job_id} {state} {says}")


async def add_job(conn: Connection, tenant_id: int, job_id: int, chat_id: int, kind: str, now: datetime) -> None:
    await conn.execute(
        "insert into crm_jobs (tenant_id, job_id, chat_id, kind, due_at, created_at) values ($1, $2, $3, $4, $5, $5)",
        tenant_id, job_id, chat_id, kind, now,
    )  # fmt: skip


@asynccontextmanager
async def opened(database: str) -> AsyncIterator[Desk]:
    """A desk on this database, with an account of its own and no tenant yet."""
    account, db = Account(), Database(database, size=4)
    await db.open()
    try:
        async with listening(account_app(account)) as url:
            desk = Desk(db, account, url)
            account.now = desk.clock.now
            yield desk
    finally:
        await db.close()
