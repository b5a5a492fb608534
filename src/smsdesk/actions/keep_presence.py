"""An agent's desk says that it is there."""

from datetime import datetime, timedelta

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing
from smsdesk.steps.begin import Begin
from smsdesk.store.agents import require_agent, set_present
from smsdesk.store.telling import Hint, tell

LONGEST = 300
"""Seconds. A desk that is gone is missed for so long at most."""


async def keep_presence(begin: Begin, tenant: Tenant, agent_id: int, seconds: int) -> datetime:
    """Notes that the desk is there for so many seconds more: until when.

    A desk that never says so is taken to be there. One that did, and is not heard of in time, makes its agent
    `unresponsive`, and his waiting consumers go to others.
    """
    if not 1 <= seconds <= LONGEST:
        raise Problem("parameter_invalid", f"seconds must be from 1 to {LONGEST}")
    async with begin(tenant.tenant_id) as work:
        before = await require_agent(work.conn, tenant.tenant_id, agent_id)
        until = work.now + timedelta(seconds=seconds)
        await set_present(work.conn, tenant.tenant_id, agent_id, until, work.now)
        after = await require_agent(work.conn, tenant.tenant_id, agent_id)
        if after.ready != before.ready:
            await tell(work.conn, tenant.tenant_id, Hint("agent", agent_ids=[agent_id]))
        if after.ready and not before.ready:
            await routing.fill(work, agent_id)
    return until
