"""An agent takes a chat that he is asked to take."""

from smsdesk.domain.chat_life import WAITING, WITH_AN_AGENT
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing, transfers
from smsdesk.steps.begin import Begin
from smsdesk.store.agents import lock_asked
from smsdesk.store.chat_rows import lock_chat_row
from smsdesk.store.offers import require_offer
from smsdesk.store.transfers import find_open


async def accept_offer(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int) -> None:
    """Gives the chat to the agent, or brings him into it where it is a warm transfer. Of several who accept at once one
    gets it; to accept what one has already changes nothing. Raises Problem where the offer is over, or he has all the
    chats that he may have.
    """
    async with begin(tenant.tenant_id) as work:
        chat = await lock_chat_row(work.conn, tenant.tenant_id, chat_id)
        if chat is None:
            raise Problem("not_found")
        agent = await lock_asked(work.conn, tenant.tenant_id, chat_id, agent_id, work.now)
        transfer = await find_open(work.conn, tenant.tenant_id, chat_id)
        joined = transfer is not None and transfer.to_agent_id == agent_id and transfer.connected_at is not None
        if joined or (chat.status in WITH_AN_AGENT and chat.agent_id == agent_id):
            return
        offer = await require_offer(work.conn, tenant.tenant_id, chat, agent_id)
        if agent.full and not offer.reserves:
            raise Problem("agent_unavailable", f"agent {agent_id} has {agent.load} of {agent.places} chats")
        if chat.status in WAITING:
            await routing.assign(work, chat, agent_id)
        elif transfer is not None and transfer.to_agent_id == agent_id:
            await transfers.join(work, chat, transfer)
        else:
            raise Problem("offer_over", f"chat {chat_id} is {chat.status}")
