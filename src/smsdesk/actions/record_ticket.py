"""What a CRM said of a chat is written down with the end of the attempt that asked it."""

from datetime import datetime

from smsdesk.store import crm
from smsdesk.store.crm import ClaimedJob, Ended, Learned
from smsdesk.store.db import Database


async def record_ticket(
    db: Database, tenant_id: int, job: ClaimedJob, learned: Learned, ended: Ended, now: datetime
) -> bool:
    """Ends an attempt. What it learned is true however it ended, and also where its lease ran out before (False)."""
    async with db.transaction() as conn:
        await crm.write_learned(conn, tenant_id, job.chat_id, learned)
        return await crm.end_attempt(conn, tenant_id, job, ended, now)
