"""Outcomes and the receipts that came after them, written down by one commit."""

from collections.abc import Sequence
from datetime import datetime

from smsdesk.domain.text_state import AttemptOutcome, PartReceipt
from smsdesk.store.db import Connection
from smsdesk.store.receipts import receipt_arrays
from smsdesk.store.telling import tell_of_chats
from smsdesk.store.texts import outcome_arrays


async def record(
    conn: Connection,
    tenant_id: int,
    carrier_id: int,
    now: datetime,
    outcomes: Sequence[AttemptOutcome],
    receipts: Sequence[PartReceipt],
) -> list[PartReceipt]:
    """Writes down the outcomes, then the receipts: gives the receipts on parts that nobody knows yet, which it left."""
    row = await conn.fetchrow(
        "select unknown, chats from take_facts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
        " $17)",
        tenant_id, carrier_id, now, *outcome_arrays(outcomes), *receipt_arrays(receipts)[:4],
    )  # fmt: skip
    unknown, chats = row or ((), ())
    await tell_of_chats(conn, tenant_id, chats)
    return [receipt for receipt in receipts if receipt.part_id in unknown] if unknown else []
