"""An agent says no to a chat."""

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing, transfers
from smsdesk.steps.begin import Begin
from smsdesk.store.agents import require_agent
from smsdesk.store.chat_rows import lock_chat_row
from smsdesk.store.moves import refresh_agent
from smsdesk.store.offers import end_offer, is_asked_for, require_offer


async def decline_offer(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int) -> None:
    """Ends the offer, and asks others at once where nobody else is being asked. A transfer to him has failed. Raises
    Problem where the offer is over."""
    async with begin(tenant.tenant_id) as work:
        chat = await lock_chat_row(work.conn, tenant.tenant_id, chat_id)
        if chat is None:
            raise Problem("not_found")
        await require_agent(work.conn, tenant.tenant_id, agent_id)
        await require_offer(work.conn, tenant.tenant_id, chat, agent_id)
        await end_offer(work.conn, tenant.tenant_id, chat_id, agent_id, "declined", work.now)
        await refresh_agent(work.conn, tenant.tenant_id, agent_id, work.now)
        await transfers.give_up(work, chat, agent_id, "declined")
        if not await is_asked_for(work.conn, tenant.tenant_id, chat_id):
            await routing.ask(work, chat_id)
