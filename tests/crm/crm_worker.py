"""A process that does jobs for CRMs, to be killed: the database and the secrets are in its environment."""

import asyncio
import os
import random
from datetime import UTC, datetime

import structlog

from smsdesk.jobs.crm import CrmJobs
from smsdesk.jobs.crm_visit import Surroundings
from smsdesk.store.db import Connection, Database
from smsdesk.store.messages import list_messages


async def spoken(conn: Connection, tenant_id: int, chat_id: int) -> str:
    """What was said, a line each."""
    return "\n".join(one.body for one in await list_messages(conn, tenant_id, chat_id))


async def work() -> None:
    db = Database(os.environ["SMSDESK_DATABASE_URL"], size=2)
    await db.open()
    around = Surroundings(db, os.environ, lambda: datetime.now(UTC), random.random, spoken)
    await CrmJobs(around, structlog.get_logger()).run()


if __name__ == "__main__":
    asyncio.run(work())
