"""What a person must be allowed to do, and what is written down of it, in the transaction that does it."""

from datetime import datetime

from smsdesk.domain.audit import Deed
from smsdesk.domain.rights import Right
from smsdesk.errors import Problem
from smsdesk.steps.rights import require_right
from smsdesk.store.audit import add_deed
from smsdesk.store.db import Connection, Ids


async def answer_for(conn: Connection, tenant_id: int, deed: Deed, right: Right, now: datetime) -> None:
    """Writes the deed into the tenant's audit. Raises Problem `forbidden` or `agent_unknown` where a person at the desk
    does it who may not; who sits at the machine itself may do anything."""
    if deed.author.source == "desk":
        if deed.author.agent_id is None:
            raise Problem("forbidden")
        await require_right(conn, tenant_id, deed.author.agent_id, right)
    await add_deed(conn, tenant_id, await Ids().take(conn, 1), deed, now)
