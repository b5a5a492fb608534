"""Closes the last gap of STOP: a text that was told to leave just before it."""

from datetime import datetime

from smsdesk.store import consent, nodes, texts
from smsdesk.store.db import Database


async def settle_opt_out(db: Database, tenant_id: int, number: str, now: datetime) -> bool:
    """Whether nothing more can leave to the number but the confirmation, which may leave then.

    False while a living node has a text to it whose outcome is not known. A dead node's cannot leave any more.
    """
    async with db.transaction() as conn:
        if not await consent.is_opted_out(conn, tenant_id, number):
            return True
        sending = await texts.end_opted_out(conn, tenant_id, number, now)
        if sending and not (await nodes.find_alive(conn, now)).isdisjoint(sending):
            return False
        await consent.set_quiet(conn, tenant_id, number, now)
        await texts.make_due(conn, tenant_id, number, "confirmation", now)
        return True
