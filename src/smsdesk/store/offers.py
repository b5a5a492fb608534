"""Offers: chats that an agent is asked to take, and what he said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.errors import Problem
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


@dataclass(frozen=True, slots=True)
class OfferRow:
    """The last time that an agent was asked for a chat."""

    state: str
    reserves: bool
    """Whether it takes one of his places while it is open."""


async def find_offer(conn: Connection, tenant_id: int, chat_id: int, agent_id: int) -> OfferRow | None:
    """How it stands between a chat and an agent; the chat's row is locked by the caller."""
    row = await conn.fetchrow(
        """
        select state, reserves from offers
        where tenant_id = $1 and chat_id = $2 and agent_id = $3
        order by state = 'open' desc, offered_at desc, offer_id desc limit 1
        """,
        tenant_id, chat_id, agent_id,
    )  # fmt: skip
    return None if row is None else OfferRow(*row)


async def require_offer(conn: Connection, tenant_id: int, chat: ChatRow, agent_id: int) -> OfferRow:
    """The open offer of a chat to an agent. Where there is none, raises Problem `chat_taken`, or `offer_over`, which
    says what became of it.

    An offer that stands open after its time is as good as any: nobody else has taken the chat.
    """
    offer = await find_offer(conn, tenant_id, chat.chat_id, agent_id)
    if offer is None:
        raise Problem("offer_over", f"agent {agent_id} was not asked to take chat {chat.chat_id}")
    if offer.state == "open":
        return offer
    if chat.ends_at is not None:
        raise Problem("offer_over", "Chat is already ended")
    if chat.agent_id not in (None, agent_id):
        raise Problem("chat_taken")
    raise Problem("offer_over", f"the offer was {offer.state}")


async def end_offer(conn: Connection, tenant_id: int, chat_id: int, agent_id: int, state: str, now: datetime) -> None:
    """Ends the open offer of a chat to an agent as `accepted`, `declined`, `missed` or `withdrawn`."""
    await conn.execute(
        """
        update offers set state = $4, ended_at = $5
        where tenant_id = $1 and chat_id = $2 and agent_id = $3 and state = 'open'
        """,
        tenant_id, chat_id, agent_id, state, now,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("offer", chat_id, [agent_id]))


async def lock_offered(conn: Connection, tenant_id: int, agent_id: int) -> list[int]:
    """The chats for which an agent is being asked, locked in the order of their ids."""
    rows = await conn.fetch(
        """
        select c.chat_id from offers o join chats c on c.tenant_id = $1 and c.chat_id = o.chat_id
        where o.tenant_id = $1 and o.agent_id = $2 and o.state = 'open' order by c.chat_id for no key update of c
        """,
        tenant_id, agent_id,
    )  # fmt: skip
    return [row[0] for row in rows]


async def withdraw(
    conn: Connection, tenant_id: int, agent_id: int, chat_ids: Sequence[int], now: datetime
) -> list[int]:
    """Takes back what an agent is asked for among these chats: which of them it was."""
    rows = await conn.fetch(
        """
        update offers set state = 'withdrawn', ended_at = $4
        where tenant_id = $1 and agent_id = $2 and chat_id = any($3) and state = 'open' returning chat_id
        """,
        tenant_id, agent_id, list(chat_ids), now,
    )  # fmt: skip
    await tell(conn, tenant_id, *(Hint("offer", row[0], [agent_id]) for row in rows))
    return sorted(row[0] for row in rows)


async def is_asked_for(conn: Connection, tenant_id: int, chat_id: int) -> bool:
    """Whether any agent is being asked for the chat."""
    found = await conn.fetchval(
        "select 1 from offers where tenant_id = $1 and chat_id = $2 and state = 'open' limit 1", tenant_id, chat_id
    )
    return found is not None


async def is_asked_himself(conn: Connection, tenant_id: int, chat_id: int, agent_id: int) -> bool:
    """Whether this agent is being asked for the chat."""
    found = await conn.fetchval(
        "select 1 from offers where tenant_id = $1 and chat_id = $2 and agent_id = $3 and state = 'open' limit 1",
        tenant_id, chat_id, agent_id,
    )  # fmt: skip
    return found is not None


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """What an agent sees of a chat that he is asked to take."""

    offer_id: int
    chat_id: int
    offered_at: datetime
    expires_at: datetime
    waiting_since: datetime
    queue_id: int | None
    queue_name: str | None
    last_words: str | None
    transfer_id: int | None
    transfer_kind: str | None
    transfer_note: str | None
    from_agent_id: int | None


async def list_offers(conn: Connection, tenant_id: int, agent_id: int, limit: int, offset: int) -> list[OpenOffer]:
    """What an agent is asked for now, the most urgent first."""
    rows = await conn.fetch(
        """
        select o.offer_id, o.chat_id, o.offered_at, o.expires_at, coalesce(c.since, c.created_at), q.queue_id, q.name,
               (select m.body from messages m
                where m.tenant_id = $1 and m.chat_id = o.chat_id and m.sender = 'end_user'
                order by m.created_at desc, m.message_id desc limit 1),
               t.transfer_id, t.kind, t.note, t.from_agent_id
        from offers o
        join chats c on c.tenant_id = $1 and c.chat_id = o.chat_id
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        left join transfers t on t.tenant_id = $1 and t.chat_id = o.chat_id and t.status = 'transferring'
        where o.tenant_id = $1 and o.agent_id = $2 and o.state = 'open'
        order by o.expires_at, o.offer_id limit $3 offset $4
        """,
        tenant_id, agent_id, limit, offset,
    )  # fmt: skip
    return [OpenOffer(*row) for row in rows]


async def count_offers(conn: Connection, tenant_id: int, agent_id: int) -> int:
    """How many chats an agent is asked for now."""
    count: int = await conn.fetchval(
        "select count(*) from offers where tenant_id = $1 and agent_id = $2 and state = 'open'", tenant_id, agent_id
    )
    return count
