"""A chat read with everything that happened in it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import asyncpg

from smsdesk.domain.chat import Chat
from smsdesk.domain.chat_record import Asked, ChatRecord, Consumer, Said, Span, WrapUp
from smsdesk.domain.tenant import Agent
from smsdesk.domain.transcript import render
from smsdesk.errors import Problem
from smsdesk.store.chats import find_chat, find_queues
from smsdesk.store.db import Connection

# A consumer who was merged into another is known by that one's names; the number is his own.
_HEAD = """
select c.direction, c.feedback, c.since, c.queue_id, c.agent_id,
       coalesce(nullif(t.settings ->> 'company_name', ''), t.subdomain) as company,
       coalesce(t.settings ->> 'time_zone', 'UTC') as time_zone,
       w.end_user_id, e.number, w.identifier, d.first_name, d.last_name, d.email,
       n.agent_id is not null as is_direct, r.name as carrier, r.type as carrier_type
from chats c
join tenants t on t.tenant_id = c.tenant_id
join end_users e on e.tenant_id = c.tenant_id and e.end_user_id = c.end_user_id
join end_users w on w.tenant_id = c.tenant_id and w.end_user_id = coalesce(e.merged_into, e.end_user_id)
left join end_user_names d on d.tenant_id = c.tenant_id and d.end_user_id = w.end_user_id
left join numbers n on n.tenant_id = c.tenant_id and n.number = c.outbound_number
left join carriers r on r.tenant_id = c.tenant_id and r.carrier_id = coalesce(n.current_carrier_id, n.carrier_id)
where c.tenant_id = $1 and c.chat_id = $2
"""


async def transcript_text(conn: Connection, tenant_id: int, chat_id: int) -> str:
    """A chat's transcript as text, without the desk's notes. Raises Problem `not_found`."""
    record = await find_record(conn, tenant_id, chat_id)
    if record is None:
        raise Problem("not_found")
    return render(record)


async def find_record(conn: Connection, tenant_id: int, chat_id: int) -> ChatRecord | None:
    """A chat with everything that happened in it; None where the tenant has none of this id."""
    chat = await find_chat(conn, tenant_id, chat_id)
    head = await conn.fetchrow(_HEAD, tenant_id, chat_id)
    if chat is None or head is None:
        return None
    spans = await _spans(conn, tenant_id, chat, head)
    said = await _said(conn, tenant_id, chat)
    asked = await _asked(conn, tenant_id, chat_id)
    wrap_ups = await _wrap_ups(conn, tenant_id, chat_id)
    people = {
        *(one.agent_id for one in spans),
        *(one.agent_id for one in said),
        *(one.agent_id for one in asked),
        *(one.agent_id for one in wrap_ups),
        *(one.user_id for one in chat.participants),
        *(one.agent_id for each in chat.transfers for one in (each.from_agent, each.to_agent) if one),
    }
    places = {span.queue_id for span in spans} | set(chat.queues)
    agents, teams = await _agents(conn, tenant_id, people)
    return ChatRecord(
        chat, head["direction"], head["company"], head["time_zone"],
        Consumer(*(head[name] for name in Consumer.__dataclass_fields__)),
        head["is_direct"], head["carrier"], head["carrier_type"], head["feedback"],
        spans, said, asked, wrap_ups, agents, teams,
        await find_queues(conn, tenant_id, {queue_id for queue_id in places if queue_id is not None}),
        await _targets(conn, tenant_id, places),
    )  # fmt: skip


async def _spans(conn: Connection, tenant_id: int, chat: Chat, head: asyncpg.Record) -> tuple[Span, ...]:
    """What it was, and last what it is."""
    rows = await conn.fetch(
        """
        select status, agent_id, queue_id, started_at, ended_at from spans
        where tenant_id = $1 and chat_id = $2 order by number
        """,
        tenant_id, chat.chat_id,
    )  # fmt: skip
    now = Span(chat.status, head["agent_id"], head["queue_id"], head["since"] or chat.created_at, None)
    return (*(Span(*row) for row in rows), now)


async def _said(conn: Connection, tenant_id: int, chat: Chat) -> tuple[Said, ...]:
    rows = await conn.fetch(
        """
        select message_id, sender, agent_id, shown_body(tenant_id, chat_id, message_id, body), created_at from messages
        where tenant_id = $1 and chat_id = $2 order by created_at, message_id
        """,
        tenant_id, chat.chat_id,
    )  # fmt: skip
    media = {row["message_id"]: tuple(one for one in chat.media if one.message_id == row["message_id"]) for row in rows}
    return tuple(replace(Said(*row), media=media[row["message_id"]]) for row in rows)


async def _asked(conn: Connection, tenant_id: int, chat_id: int) -> tuple[Asked, ...]:
    rows = await conn.fetch(
        """
        select agent_id, state, ended_at from offers
        where tenant_id = $1 and chat_id = $2 and state in ('declined', 'missed') and ended_at is not null
        order by ended_at, offer_id
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return tuple(Asked(*row) for row in rows)


async def _wrap_ups(conn: Connection, tenant_id: int, chat_id: int) -> tuple[WrapUp, ...]:
    rows = await conn.fetch(
        """
        select agent_id, started_at, ended_at, disposition, notes from wrap_ups
        where tenant_id = $1 and chat_id = $2 order by started_at, agent_id
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return tuple(WrapUp(*row) for row in rows)


async def _agents(
    conn: Connection, tenant_id: int, agent_ids: Iterable[int | None]
) -> tuple[dict[int, Agent], dict[int, tuple[str, ...]]]:
    """These agents, and the queues that each works in."""
    rows = await conn.fetch(
        """
        select a.agent_id, a.email, a.agent_number, a.first_name, a.last_name, a.avatar_url,
               array(select q.name from agent_queues p
                     join queues q on q.tenant_id = $1 and q.queue_id = p.queue_id and q.deleted_at is null
                     where p.tenant_id = $1 and p.agent_id = a.agent_id order by q.position, q.queue_id) as teams
        from agents a where a.tenant_id = $1 and a.agent_id = any ($2)
        """,
        tenant_id, [one for one in agent_ids if one is not None],
    )  # fmt: skip
    agents = {row["agent_id"]: Agent(*tuple(row)[:-1]) for row in rows}
    return agents, {row["agent_id"]: tuple(row["teams"]) for row in rows}


async def _targets(conn: Connection, tenant_id: int, queue_ids: Iterable[int | None]) -> dict[int, int]:
    rows: list[Any] = await conn.fetch(
        """
        select queue_id, (effective ->> 'target_seconds')::int as target from queues
        where tenant_id = $1 and queue_id = any ($2) and (effective ->> 'target_seconds')::int > 0
        """,
        tenant_id, [one for one in queue_ids if one is not None],
    )  # fmt: skip
    return {row["queue_id"]: row["target"] for row in rows}
