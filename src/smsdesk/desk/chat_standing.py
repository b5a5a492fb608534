"""How somebody at the desk stands to a chat, read for the buttons above it."""

from dataclasses import dataclass

from smsdesk.domain.chat_choices import Standing, choices
from smsdesk.domain.chat_life import WITH_AN_AGENT
from smsdesk.store.agents import AgentRow, is_in_queue
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.db import Connection
from smsdesk.store.participants import find_present
from smsdesk.store.spans import last_end
from smsdesk.store.transfers import OpenTransfer, find_open


@dataclass(frozen=True, slots=True)
class Stands:
    """The transfer that an open chat is in, and what he can do with it by name (`domain/chat_choices.py`)."""

    transfer: OpenTransfer | None
    can: frozenset[str]
    part: str | None
    """His part in a chat that is not his."""


async def read_standing(conn: Connection, tenant_id: int, agent: AgentRow, chat: ChatRow) -> Stands:
    """What this agent, who may read the chat, can do with it now."""
    if chat.ends_at is not None:
        return Stands(None, frozenset(), None)
    transfer = await find_open(conn, tenant_id, chat.chat_id)
    present = None
    if chat.agent_id != agent.agent_id:
        present = await find_present(conn, tenant_id, chat.chat_id, agent.agent_id)
    in_queue = chat.queue_id is not None and await is_in_queue(conn, tenant_id, agent.agent_id, chat.queue_id)
    standing = Standing(
        chat.status, chat.direction, chat.agent_id, await _both_spoke(conn, tenant_id, chat), agent.agent_id,
        agent.supervises, in_queue, agent.full,
        present.status if present else None, present is not None and present.role == "supervisor",
        transfer.kind if transfer else None, transfer.from_agent_id if transfer else None,
        transfer.to_agent_id if transfer else None, transfer is not None and transfer.connected_at is not None,
    )  # fmt: skip
    return Stands(transfer, choices(standing), present.status if present else None)


async def _both_spoke(conn: Connection, tenant_id: int, chat: ChatRow) -> bool:
    if chat.status not in WITH_AN_AGENT or chat.end_user_said_at is None or chat.agent_said_at is None:
        return False
    came_back = await last_end(conn, tenant_id, chat.chat_id, "dismissed")
    return came_back is None or chat.end_user_said_at >= came_back
