"""A supervisor looks into a chat, speaks in it, or leaves it."""

from typing import Literal

from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.store import participants
from smsdesk.store.agents import require_supervisor
from smsdesk.store.chat_rows import require_open
from smsdesk.store.participants import Part, find_present


async def join_chat(
    begin: Begin, tenant: Tenant, chat_id: int, agent_id: int, status: Literal["monitoring", "connected"]
) -> None:
    """Brings a supervisor into an open chat beside its agent: `monitoring` he reads and notes, `connected` he may write
    to the consumer as well. Raises Problem where the chat is his own."""
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, chat_id)
        await require_supervisor(work.conn, tenant.tenant_id, agent_id)
        if chat.agent_id == agent_id:
            raise Problem("chat_status_wrong", f"chat {chat_id} is agent {agent_id}'s own")
        present = await find_present(work.conn, tenant.tenant_id, chat_id, agent_id)
        if present is not None and present.role == "agent":
            raise Problem("transfer_open", "the chat is being transferred to this agent")
        part = Part(await work.take_id(), agent_id, status, "supervisor")
        await participants.enter(work.conn, tenant.tenant_id, chat_id, part, work.now)


async def leave_chat(begin: Begin, tenant: Tenant, chat_id: int, agent_id: int) -> None:
    """Takes a supervisor out of a chat that is not his own; raises Problem where he is not in it so."""
    async with begin(tenant.tenant_id) as work:
        await require_open(work.conn, tenant.tenant_id, chat_id)
        present = await find_present(work.conn, tenant.tenant_id, chat_id, agent_id)
        if present is None or present.role != "supervisor":
            raise Problem("not_in_chat", f"agent {agent_id} is not in chat {chat_id} as a supervisor")
        await participants.leave(work.conn, tenant.tenant_id, chat_id, agent_id, work.now)
