"""Somebody gives a chat to an agent."""

from dataclasses import dataclass

from smsdesk.domain.audit import Author, Deed
from smsdesk.domain.chat_life import WITH_AN_AGENT
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps import routing
from smsdesk.steps.audit import record
from smsdesk.steps.begin import Begin
from smsdesk.store.agents import lock_asked, require_supervisor
from smsdesk.store.chat_rows import require_open
from smsdesk.store.offers import find_offer


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who is to have a chat. `by_agent_id` is the supervisor who says so; None is the API's own word."""

    chat_id: int
    agent_id: int
    by_agent_id: int | None = None
    force: bool = False
    """Whether he gets it although he is away, or has all the chats that he may have."""


async def assign_chat(begin: Begin, tenant: Tenant, wanted: Assignment) -> None:
    """Gives an open chat to the agent, whoever had it; a transfer of it ends. Raises Problem where he is not there for
    it, or who says so may not."""
    async with begin(tenant.tenant_id) as work:
        chat = await require_open(work.conn, tenant.tenant_id, wanted.chat_id)
        if wanted.by_agent_id is not None:
            await require_supervisor(work.conn, tenant.tenant_id, wanted.by_agent_id)
        agent = await lock_asked(work.conn, tenant.tenant_id, wanted.chat_id, wanted.agent_id, work.now)
        if chat.status in WITH_AN_AGENT and chat.agent_id == wanted.agent_id:
            return
        offer = await find_offer(work.conn, tenant.tenant_id, wanted.chat_id, wanted.agent_id)
        asked = offer is not None and offer.state == "open"
        if not (agent.ready or asked or wanted.force):
            raise Problem("agent_unavailable")
        await routing.assign(work, chat, wanted.agent_id, "auto")
        if wanted.by_agent_id is not None:
            author, details = Author("desk", wanted.by_agent_id), {"to": f"agent {wanted.agent_id}"}
            await record(work, Deed(author, "assign chat", f"chat {wanted.chat_id}", details))
        if chat.agent_id is not None:
            await routing.fill(work, chat.agent_id)
