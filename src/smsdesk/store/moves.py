"""The one door through which a chat changes its status, and what goes with it."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.chat_life import WAITING
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


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
    row = await conn.fetchrow(
        """
        select move_chat($1, $2, $3, $4, $5, $6, $7, $8, $9), c.agent_id, c.queue_id, c.status,
               array(select o.agent_id from offers o where o.tenant_id = $1 and o.chat_id = $2 and o.state = 'open'),
               array(select p.user_id from participants p
                     where p.tenant_id = $1 and p.chat_id = $2 and p.ended_at is null and p.user_id is not null)
        from chats c where c.tenant_id = $1 and c.chat_id = $2
        """,
        tenant_id, chat_id, move.status, move.agent_id, move.queue_id, move.fail_reason, move.disconnected_by,
        participant_id, now,
    )  # fmt: skip
    if row is None or not row[0]:
        return False
    # Whom it concerned before; whom it concerns now is looked up when the desks are told.
    _, agent_id, queue_id, status, asked, present = row
    agents = {*asked, *present, *filter(None, (agent_id, move.agent_id))}
    waited = Hint("chat", chat_id, sorted(agents), queue_id if status in WAITING else None)
    await tell(conn, tenant_id, waited, *([Hint("offer", chat_id, asked)] if asked else []))
    return True


async def expire_chats(conn: Connection, tenant_id: int, now: datetime, limit: int) -> int:
    """Ends outbound chats that nobody answered in time: how many, at most `limit`. One that is being answered is left
    alone."""
    row = await conn.fetchrow(
        "select expire_chats($1, $2, $3), chats from (select unanswered_to_tell($1, $2, $3) as chats offset 0) t",
        tenant_id, now, limit,
    )  # fmt: skip
    ended, chats = row or (0, ())
    await tell(conn, tenant_id, *(Hint("chat", chat_id) for chat_id in chats))
    return int(ended)


async def agent_spoke(conn: Connection, tenant_id: int, chat_id: int, now: datetime) -> None:
    """The chat's agent has written to its consumer: notes it, and starts the consumer's clocks."""
    was = await conn.fetchrow(
        "select agent_spoke($1, $2, $3), c.status from chats c where c.tenant_id = $1 and c.chat_id = $2",
        tenant_id, chat_id, now,
    )  # fmt: skip
    if was is not None and was["status"] == "assigned":
        await tell(conn, tenant_id, Hint("chat", chat_id))


async def refresh_agent(conn: Connection, tenant_id: int, agent_id: int, now: datetime) -> None:
    """Works out anew what an agent has and whether he is asked."""
    await conn.execute("select refresh_agent($1, $2, $3)", tenant_id, agent_id, now)
    await tell(conn, tenant_id, Hint("agent", agent_ids=[agent_id]))


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
