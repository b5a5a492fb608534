"""An agent says what he does."""

from smsdesk.domain.agent_status import read_reason, read_status
from smsdesk.domain.tenant import Tenant
from smsdesk.steps import agent_status
from smsdesk.steps.begin import Begin
from smsdesk.store.agents import require_agent


async def set_agent_status(begin: Begin, tenant: Tenant, agent_id: int, status: str, reason: str | None) -> None:
    """Puts an agent into a status that a person may choose, whatever he was in; raises Problem where he may not.

    One who becomes available is asked for what waits in the same transaction.
    """
    wanted, why = read_status(status, tenant.settings.agent_statuses), read_reason(reason)
    async with begin(tenant.tenant_id) as work:
        await require_agent(work.conn, tenant.tenant_id, agent_id)
        await agent_status.change(work, agent_id, wanted, why)
