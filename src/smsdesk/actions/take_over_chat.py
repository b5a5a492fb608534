"""A supervisor takes a chat from whoever has it."""

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.chat_life import WITH_AN_AGENT
from smsdesk.domain.tenant import Tenant
from smsdesk.steps import routing
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.steps.say import note
from smsdesk.store.agents import lock_asked, require_supervisor
from smsdesk.store.chat_rows import require_open


async def take_over_chat(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int) -> None:
    """Gives an open chat to the supervisor himself, whatever he has already; a transfer of it ends."""
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, chat_id)
        await require_supervisor(work.conn, tenant.tenant_id, agent_id)
        await lock_asked(work.conn, tenant.tenant_id, chat_id, agent_id, work.now)
        if chat.status in WITH_AN_AGENT and chat.agent_id == agent_id:
            return
        await routing.assign(work, chat, agent_id)
        await note(work, chat_id, "A supervisor has taken over.", agent_id)
        details = {"to": f"agent {agent_id}"} | ({"from": f"agent {chat.agent_id}"} if chat.agent_id else {})
        await record(work, Deed(Author("desk", agent_id), "assign chat", f"chat {chat_id}", details))
        if chat.agent_id is not None:
            await routing.fill(work, chat.agent_id)
