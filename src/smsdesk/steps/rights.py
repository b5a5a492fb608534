"""Whether a person may do what he asks for: asked inside the transaction that does it, for roles change."""

from smsdesk.domain.rights import Right, has_right
from smsdesk.errors import Problem
from smsdesk.store.agents import AgentRow, is_in_queue, require_agent
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.db import Connection
from smsdesk.store.offers import is_asked_himself
from smsdesk.store.participants import find_present


async def require_right(conn: Connection, tenant_id: int, agent_id: int, right: Right) -> AgentRow:
    """The person, if he has the right. Raises Problem `agent_unknown` where he is disabled, else `forbidden`."""
    agent = await require_agent(conn, tenant_id, agent_id)
    if not has_right(agent.role, right):
        raise Problem("forbidden")
    return agent


async def require_view(conn: Connection, tenant_id: int, agent: AgentRow, chat: ChatRow) -> None:
    """Raises Problem `not_found` unless this person may read the chat: his own, one that he is in or asked to take, one
    of a queue in which he works, or any where he supervises. What he may not see, he does not learn of."""
    if agent.supervises or chat.agent_id == agent.agent_id:
        return
    if chat.queue_id is not None and await is_in_queue(conn, tenant_id, agent.agent_id, chat.queue_id):
        return
    if await is_asked_himself(conn, tenant_id, chat.chat_id, agent.agent_id):
        return
    present = await find_present(conn, tenant_id, chat.chat_id, agent.agent_id)
    if present is None or present.role == "supervisor":  # who supervises no more has no part of one
        raise Problem("not_found")
