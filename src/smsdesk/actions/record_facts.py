"""What a line learned is written down: what became of attempts, and after it the receipts."""

from collections.abc import Sequence
from datetime import datetime

from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store import facts, receipts, texts
from smsdesk.store.db import Database


async def record_facts(
    db: Database,
    tenant_id: int,
    carrier_id: int,
    now: datetime,
    outcomes: Sequence[AttemptOutcome],
    reports: Sequence[PartReceipt],
) -> None:
    """Outcomes, each for the attempt that it names, and after them receipts; one that is for a part nobody knows yet is
    kept. Harmless to repeat; raises one of UNREACHABLE."""
    async with db.connection() as conn:
        if outcomes and reports:
            reports = await facts.record(conn, tenant_id, carrier_id, now, outcomes, reports)
        elif outcomes:
            await texts.record_outcomes(conn, tenant_id, carrier_id, now, outcomes)
        if reports:
            await receipts.record(conn, tenant_id, carrier_id, now, reports)
