"""The one door through which a chat changes its status, and what goes with it."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Move:
    """What a chat becomes. `agent_id` and `queue_id` are whose it is from now on."""

    status: str
    agent_id: int | None
    queue_id: int | None
    fail_reason: str | None = None
    disconnected_by: str | None = None


async def move_chat(
    conn: Connection, tenant_id: int, chat_id: int, move: Move, participant_id: int | None, now: datetime
) -> bool:
    """Writes the change with its span, participants, offers, transfer and timers, and works out anew who is ready;
    False where the chat has ended. `participant_id` is that of an agent who is new in the chat.

    Whether the change is a legal one is the caller's to ask of `domain/chat_life.py`, with the chat's row locked.
    """
    done: bool = await conn.fetchval(
        "select move_chat($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant_id, chat_id, move.status, move.agent_id, move.queue_id, move.fail_reason, move.disconnected_by,
        participant_id, now,
    )  # fmt: skip
    return done


async def expire_chats(conn: Connection, tenant_id: int, now: datetime, limit: int) -> int:
    """Ends outbound chats that nobody answered in time: how many, at most `limit`. One that is being answered is left
    alone."""
    ended: int = await conn.fetchval("select expire_chats($1, $2, $3)", tenant_id, now, limit)
    return ended


async def agent_spoke(conn: Connection, tenant_id: int, chat_id: int, now: datetime) -> None:
    """The chat's agent has written to its consumer: notes it, and starts the consumer's clocks."""
    await conn.execute("select agent_spoke($1, $2, $3)", tenant_id, chat_id, now)


async def refresh_agent(conn: Connection, tenant_id: int, agent_id: int, now: datetime) -> None:
    """Works out anew what an agent has and whether he is asked."""
    await conn.execute("select refresh_agent($1, $2, $3)", tenant_id, agent_id, now)


async def set_timer(conn: Connection, tenant_id: int, chat_id: int, kind: str, due_at: datetime) -> None:
    """Sets a timer of a chat, over an earlier one of the kind."""
    await conn.execute(
        """
        insert into timers (tenant_id, chat_id, kind, due_at) values ($1, $2, $3, $4)
        on conflict (tenant_id, chat_id, kind) do update set due_at = excluded.due_at
        """,
        tenant_id, chat_id, kind, due_at,
    )  # fmt: skip


async def stop_timer(conn: Connection, tenant_id: int, chat_id: int, *kinds: str) -> None:
    """Takes timers of a chat away."""
    await conn.execute(
        "delete from timers where tenant_id = $1 and chat_id = $2 and kind = any ($3)", tenant_id, chat_id, list(kinds)
    )
