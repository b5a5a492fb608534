"""Intent before the wire: what a node is going to send is its own on disk before a byte leaves."""

from datetime import datetime

from smsdesk.domain.text_state import ClaimedText
from smsdesk.store import texts
from smsdesk.store.db import Database
from smsdesk.store.texts import Wanted


async def claim_texts(
    db: Database, tenant_id: int, carrier_id: int, wanted: Wanted, node_id: int, now: datetime
) -> list[ClaimedText]:
    """Texts of a line that this node has to send now, the most urgent first; raises one of UNREACHABLE."""
    # No transaction block: the call is its own.
    async with db.connection() as conn:
        return await texts.claim(conn, tenant_id, carrier_id, wanted, node_id, now)
