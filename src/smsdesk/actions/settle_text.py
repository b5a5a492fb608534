"""A person settles a doubtful text: it was sent, it was not, or it shall be sent again."""

from dataclasses import replace
from datetime import datetime, timedelta

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.rights import require_right
from smsdesk.store import doubtful
from smsdesk.store.audit import add_deed
from smsdesk.store.db import Database, Ids
from smsdesk.store.doubtful import Settlement

VERDICTS = ("sent", "not_sent", "send_again")
LONGEST_NAME = 120


async def settle_text(
    db: Database, tenant: Tenant, settlement: Settlement, now: datetime, by_agent_id: int | None = None
) -> None:
    """Writes the verdict down and obeys it. Only `send_again` lets a text leave, if its consumer may be texted.
    `by_agent_id` is the supervisor at the desk who says so; None is the API's own word.

    Raises Problem where the text is not doubtful: a receipt, or somebody else, was first.
    """
    if settlement.verdict not in VERDICTS:
        raise Problem("parameter_invalid", f"verdict must be one of {', '.join(VERDICTS)}")
    who = settlement.settled_by.strip()
    if not who or len(who) > LONGEST_NAME or not who.isprintable():
        raise Problem("parameter_invalid", f"settled_by must be a name of 1 to {LONGEST_NAME} printable characters")
    valid_until = now + timedelta(minutes=tenant.settings.text_validity_minutes)
    async with db.transaction() as conn:
        if by_agent_id is not None:
            await require_right(conn, tenant.tenant_id, by_agent_id, "supervise")
        settled = await doubtful.settle(conn, tenant.tenant_id, replace(settlement, settled_by=who), now, valid_until)
        if settled and by_agent_id is not None:
            subject, details = f"text {settlement.message_id}", {"verdict": settlement.verdict}
            deed = Deed(Author("desk", by_agent_id), "settle text", subject, details)
            await add_deed(conn, tenant.tenant_id, await Ids().take(conn, 1), deed, now)
    if not settled:
        raise Problem(
            "not_doubtful", f"message {settlement.message_id} is not a doubtful text of this tenant (any more)"
        )
