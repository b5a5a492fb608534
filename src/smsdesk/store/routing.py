"""Chats that wait and agents who are ready: found by one look-up in an index, however many there are of either."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.domain.routing import Cast
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell

DECLINED = timedelta(minutes=1)
"""How long nobody is asked again for a chat that he has declined."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chat that waits, locked, and what decides who is asked for it."""

    chat_id: int
    queue_id: int
    since: datetime
    preferred_agent_id: int | None
    only_agent_id: int | None
    """The one agent to whom it is being transferred, and who has his own offer for it."""
    rounds: int
    """How often agents were asked since it waits."""


async def read_waiting(conn: Connection, tenant_id: int, chat_id: int) -> Waiting | None:
    """The chat, locked, where it waits in a queue."""
    row = await conn.fetchrow(
        """
        select c.chat_id, c.queue_id, c.since, c.preferred_agent_id,
               (select t.to_agent_id from transfers t where t.tenant_id = $1 and t.chat_id = $2
                                                        and t.status = 'transferring'),
               (select count(*) from casts x where x.tenant_id = $1 and x.chat_id = $2 and x.at >= c.since)
        from chats c
        where c.tenant_id = $1 and c.chat_id = $2 and c.status in ('queued', 'resumed', 'transferred')
          and c.queue_id is not null
        for no key update of c
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return None if row is None else Waiting(*row)


async def pick_agents(
    conn: Connection, tenant_id: int, waiting: Waiting, cast: Cast, now: datetime, *, again: bool
) -> list[int]:
    """The agents of this round, of the chat's queue, who are ready, the longest idle first, locked; those who are being
    asked for something else in this moment are passed over. Without `again`, those who let an offer of this wait pass
    are left out; who declined it is not asked again within DECLINED.

    Readiness is looked at on the locked row too: what another transaction has just decided counts.
    """
    rows = await conn.fetch(
        """
        select p.agent_id from unnest($3::smallint[]) g (number)
        cross join lateral (
            select p.agent_id, p.idle_since from agent_queues p
            join agent_statuses s on s.tenant_id = $1 and s.agent_id = p.agent_id
            where p.tenant_id = $1 and p.queue_id = $2 and p.group_number = g.number and p.ready and s.ready
              and not exists (select from offers o where o.tenant_id = $1 and o.chat_id = $6
                                                     and o.agent_id = p.agent_id and o.offered_at >= $7
                                                     and (not $5 or o.state = 'declined' and o.ended_at > $8))
            order by p.idle_since, p.agent_id limit $4 for no key update of s skip locked
        ) p
        order by p.idle_since, p.agent_id limit $4
        """,
        tenant_id, waiting.queue_id, list(cast.groups), cast.most, again, waiting.chat_id, waiting.since,
        now - DECLINED,
    )  # fmt: skip
    return [row[0] for row in rows]


async def lock_if_ready(conn: Connection, tenant_id: int, agent_id: int) -> bool:
    """Whether the agent, whatever his queues, can be asked now; locked if so."""
    found = await conn.fetchval(
        """
        select 1 from agent_statuses where tenant_id = $1 and agent_id = $2 and ready for no key update skip locked
        """,
        tenant_id, agent_id,
    )  # fmt: skip
    return found is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """One round of asking, as it is written down."""

    chat_id: int
    agent_ids: Sequence[int]
    first_offer_id: int
    reserves: bool
    expires_at: datetime
    offer_type: str
    group_number: int | None
    group_name: str | None


async def write_cast(conn: Connection, tenant_id: int, asked: Asked, now: datetime) -> None:
    """Writes a round with its offers; an agent who is being asked already is not asked twice."""
    number = await conn.fetchval(
        """
        insert into casts (tenant_id, chat_id, number, at, group_number, group_name)
        select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5 from casts where tenant_id = $1 and chat_id = $2
        returning number
        """,
        tenant_id, asked.chat_id, now, asked.group_number, asked.group_name,
    )  # fmt: skip
    await conn.execute(
        """
        insert into offers (tenant_id, chat_id, offer_id, agent_id, cast_number, reserves, offered_at, expires_at)
        select $1, $2, $3 + u.i - 1, u.agent_id, $5, $6, $7, $8
        from unnest($4::bigint[]) with ordinality u (agent_id, i)
        on conflict (tenant_id, chat_id, agent_id) where state = 'open' do update set expires_at = excluded.expires_at
        """,
        tenant_id, asked.chat_id, asked.first_offer_id, list(asked.agent_ids), number, asked.reserves, now,
        asked.expires_at,
    )  # fmt: skip
    await conn.execute(
        "update chats set offer_type = $3, ask_at = $4 where tenant_id = $1 and chat_id = $2",
        tenant_id, asked.chat_id, asked.offer_type, asked.expires_at,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("offer", asked.chat_id, asked.agent_ids))


async def ask_at(conn: Connection, tenant_id: int, chat_id: int, at: datetime | None) -> None:
    """When agents are to be asked for the chat; None once one of them becomes ready."""
    await conn.execute("update chats set ask_at = $3 where tenant_id = $1 and chat_id = $2", tenant_id, chat_id, at)


async def set_answer_type(conn: Connection, tenant_id: int, chat_id: int, answer_type: str) -> None:
    """How the agent came to the chat: by his own hand (`manual`), or by itself (`auto`)."""
    await conn.execute(
        "update chats set answer_type = $3 where tenant_id = $1 and chat_id = $2 and answer_type <> $3",
        tenant_id, chat_id, answer_type,
    )  # fmt: skip


_TO_ASK = """
select c.chat_id, c.since from chats c
where c.tenant_id = $1 and c.queue_id = q.queue_id and c.status in ('queued', 'resumed', 'transferred')
  and (c.ask_at is null or c.ask_at <= $2)
order by c.since limit $3 for no key update skip locked
"""


async def find_to_ask(conn: Connection, tenant_id: int, now: datetime, limit: int) -> list[int]:
    """Chats for which somebody can be asked now, locked: of each queue with a ready agent those that wait longest, and
    of all of them the longest first."""
    rows = await conn.fetch(
        f"""
        select w.chat_id from queues q cross join lateral ({_TO_ASK}) w
        where q.tenant_id = $1
          and exists (select from agent_queues p where p.tenant_id = $1 and p.queue_id = q.queue_id and p.ready)
        order by w.since
        """,
        tenant_id, now, limit,
    )  # fmt: skip
    return [row[0] for row in rows]


async def find_to_ask_agent(conn: Connection, tenant_id: int, agent_id: int, now: datetime, limit: int) -> list[int]:
    """Chats for which this agent can be asked now, locked, those that wait longest first."""
    rows = await conn.fetch(
        f"""
        select w.chat_id from agent_queues q cross join lateral ({_TO_ASK}) w
        where q.tenant_id = $1 and q.agent_id = $4 and q.ready order by w.since limit $3
        """,
        tenant_id, now, limit, agent_id,
    )  # fmt: skip
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class MissedOffer:
    """An offer whose time has passed."""

    chat_id: int
    agent_id: int
    reserves: bool


async def end_missed(conn: Connection, tenant_id: int, now: datetime, limit: int) -> list[MissedOffer]:
    """Ends offers whose time has passed: at most `limit`, in the order of their agents, who are locked with them. What
    somebody else holds is left for the next look."""
    rows = await conn.fetch(
        """
        with due as (
            select o.chat_id, o.offer_id from offers o
            join agent_statuses s on s.tenant_id = $1 and s.agent_id = o.agent_id
            where o.tenant_id = $1 and o.state = 'open' and o.expires_at <= $2
            order by o.expires_at limit $3 for no key update of o, s skip locked
        ), missed as (
            update offers o set state = 'missed', ended_at = $2 from due
            where o.tenant_id = $1 and o.chat_id = due.chat_id and o.offer_id = due.offer_id
            returning o.chat_id, o.agent_id, o.reserves
        )
        select * from missed order by agent_id, chat_id
        """,
        tenant_id, now, limit,
    )  # fmt: skip
    missed = [MissedOffer(*row) for row in rows]
    await tell(conn, tenant_id, *(Hint("offer", offer.chat_id, [offer.agent_id]) for offer in missed))
    return missed
