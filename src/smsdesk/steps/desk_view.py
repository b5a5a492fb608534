"""What a person at the desk may read of a chat."""

from smsdesk.errors import Problem
from smsdesk.steps.rights import require_right, require_view
from smsdesk.store.agents import AgentRow
from smsdesk.store.chat_rows import ChatRow, find_chat_row, find_open_row
from smsdesk.store.db import Connection


async def require_read(conn: Connection, tenant_id: int, agent_id: int, chat_id: int) -> tuple[AgentRow, ChatRow]:
    """The person and the chat, not locked, if he may read it: as `require_view` says, and what a consumer said earlier
    whose open chat he may read. Raises Problem `not_found` for all others."""
    agent = await require_right(conn, tenant_id, agent_id, "work")
    chat = await find_chat_row(conn, tenant_id, chat_id)
    if chat is None:
        raise Problem("not_found")
    now_open = await find_open_row(conn, tenant_id, chat.end_user_id) if chat.ends_at and not agent.supervises else None
    try:
        await require_view(conn, tenant_id, agent, chat)
    except Problem:
        if now_open is None:
            raise
        await require_view(conn, tenant_id, agent, now_open)
    return agent, chat
