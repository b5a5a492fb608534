"""What is over of signing in is taken away."""

from datetime import datetime, timedelta

from smsdesk.store.db import Database
from smsdesk.store.sign_in import sweep

KEPT = timedelta(hours=2)
"""How long it is remembered that somebody guessed, after he has done: longer than any wait."""


async def sweep_sign_ins(db: Database, tenant_id: int, now: datetime) -> int:
    """Takes away a tenant's sessions, half sign-ins and known browsers that are over, and old failures; how many."""
    async with db.transaction() as conn:
        return await sweep(conn, tenant_id, now, now - KEPT)
