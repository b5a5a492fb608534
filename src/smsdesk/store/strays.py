"""Chats that a change of the set-up takes their queue or their agent from: found and locked before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from smsdesk.domain.setup import Change
from smsdesk.store.db import Connection
from smsdesk.store.setup import queue_paths


@dataclass(frozen=True, slots=True)
class Strays:
    """Open chats that need another place, and why."""

    chat_ids: Sequence[int]
    goals: dict[int, str]
    """The path that the chats of a queue go to, by the id of the queue that goes."""
    agents: frozenset[int]
    """Those who are disabled."""


async def lock_strays(conn: Connection, tenant_id: int, changes: Sequence[Change]) -> Strays:
    """Locks the chats, then all agents, each in the order of their ids, which is how everybody locks them."""
    goals = {
        change.name: field.new
        for change in changes
        if change.kind == "queue" and change.action == "delete"
        for field in change.fields
        if field.name == "move_chats_to"
    }
    paths = await queue_paths(conn, tenant_id)
    moved = {queue_id: goals[path] for queue_id, path in paths.items() if path in goals}
    disabled = [
        change.name
        for change in changes
        if change.kind == "agent" and any(field.name == "disabled" and field.new for field in change.fields)
    ]
    rows = await conn.fetch(
        "select agent_id from agents where tenant_id = $1 and lower(email) = any($2) and email > ''",
        tenant_id,
        disabled,
    )
    agents = frozenset(row[0] for row in rows)
    # Outbound chats that nobody has answered stay where they are: whoever answers finds his agent gone, and is led on.
    chats = await conn.fetch(
        """
        select chat_id from chats
        where tenant_id = $1 and ends_at is null
          and (queue_id = any($2) or agent_id = any($3) and agent_id is not null and end_user_said_at is not null)
        order by chat_id for no key update
        """,
        tenant_id, list(moved), list(agents),
    )  # fmt: skip
    await conn.execute("select from agent_statuses where tenant_id = $1 order by agent_id for no key update", tenant_id)
    return Strays([row[0] for row in chats], moved, agents)
