"""What became of attempts is written down, and with it the receipts that came before."""

from collections.abc import Sequence
from datetime import datetime

from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.store import texts
from smsdesk.store.db import Database


async def record_outcomes(
    db: Database, tenant_id: int, carrier_id: int, now: datetime, outcomes: Sequence[AttemptOutcome]
) -> int:
    """How many outcomes counted, each for the attempt that it names; harmless to repeat; raises one of UNREACHABLE."""
    async with db.connection() as conn:
        return await texts.record_outcomes(conn, tenant_id, carrier_id, now, outcomes)
