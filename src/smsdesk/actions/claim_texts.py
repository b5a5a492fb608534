"""Intent before the wire: what a node is going to send is its own on disk before a byte leaves."""

from datetime import datetime

from smsdesk.domain.text_state import ClaimedText
from smsdesk.store import texts
from smsdesk.store.db import Database


async def claim_texts(
    db: Database, tenant_id: int, carrier_id: int, limit: int, node_id: int, now: datetime
) -> list[ClaimedText]:
    """At most `limit` texts of a line that this node has to send now, first due first; raises one of UNREACHABLE."""
    # No transaction block: the call is its own.
    async with db.connection() as conn:
        return await texts.claim(conn, tenant_id, carrier_id, limit, node_id, now)
