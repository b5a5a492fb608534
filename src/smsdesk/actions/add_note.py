"""Somebody at the desk writes a line that the consumer never sees."""

from datetime import datetime

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.say import note
from smsdesk.store.agents import require_agent
from smsdesk.store.chat_rows import require_open
from smsdesk.store.participants import find_present

LONGEST = 4000


async def add_note(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int, content: str) -> tuple[int, datetime]:
    """Adds a note of its agent, of who else is in the chat, or of a supervisor: the message's id and time. A supervisor
    whispers so: his words reach the desk, and nobody else."""
    if not content.strip() or len(content) > LONGEST or "\x00" in content:
        raise Problem("parameter_invalid", f"content must have 1 to {LONGEST} characters")
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, chat_id)
        agent = await require_agent(work.conn, tenant.tenant_id, agent_id)
        present = await find_present(work.conn, tenant.tenant_id, chat_id, agent_id)
        is_in = chat.agent_id == agent_id or (present is not None and present.role == "agent")
        if not is_in and not agent.supervises:
            raise Problem("not_in_chat", f"agent {agent_id} is not in chat {chat_id}")
        return await note(work, chat_id, content, agent_id), work.now
