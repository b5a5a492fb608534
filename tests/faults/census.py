"""What the database holds and what the handsets hold, counted and held against each other."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import asyncpg

STATES = """
    select m.body, coalesce(t.state, m.state) from messages m
    left join texts t on t.tenant_id = m.tenant_id and t.chat_id = m.chat_id and t.message_id = m.message_id
    where m.sender = 'api'
"""
HALF_WRITTEN = """
    select 'messages with neither text nor end, or with both', count(*) from messages m
    where m.sender <> 'end_user' and (m.state is null) <> exists (
        select from texts t where t.tenant_id = m.tenant_id and t.chat_id = m.chat_id and t.message_id = m.message_id)
    union all
    select 'chats without a message', count(*) from chats c
    where not exists (select from messages m where m.tenant_id = c.tenant_id and m.chat_id = c.chat_id)
    union all
    select 'chats without their one consumer', count(*) from chats c
    where 1 <> (select count(*) from participants p
                where p.tenant_id = c.tenant_id and p.chat_id = c.chat_id and p.type = 'end_user')
    union all
    select 'keys without an answer', count(*) from idempotency_keys where answer is null
    union all
    select 'texts that left without an entry for each part', count(*) from texts t
    join messages m on m.tenant_id = t.tenant_id and m.chat_id = t.chat_id and m.message_id = t.message_id
    where t.state <> 'queued' and m.parts <> (
        select count(*) from parts p
        where p.tenant_id = t.tenant_id and p.message_id = t.message_id and p.attempt = t.attempt)
"""
"""Each row counts one kind of fact that was written in part."""


async def ask(dsn: str, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    """The rows of a query over a connection of its own."""
    conn = await asyncpg.connect(dsn, timeout=10)
    try:
        return [tuple(row) for row in await conn.fetch(query, *arguments)]
    finally:
        await conn.close()


async def in_flight(dsn: str) -> int:
    """How many texts have neither ended nor been given up as doubtful."""
    ((count,),) = await ask(dsn, "select count(*) from texts where state <> 'doubtful'")
    return int(count)


async def text_states(dsn: str) -> dict[str, str]:
    """The state of each text that came over the API, by its body; AssertionError where two have one body."""
    rows = await ask(dsn, STATES)
    states = dict(rows)
    assert len(states) == len(rows), f"{len(rows) - len(states)} texts were stored twice"
    return states


async def assert_whole(dsn: str) -> None:
    """Nothing was written in part."""
    assert {what: count for what, count in await ask(dsn, HALF_WRITTEN) if count} == {}


def assert_once(states: Mapping[str, str], arrived: list[dict[str, Any]], replay: str) -> None:
    """Each text is at its handset exactly once, or is listed as doubtful and is there at most once."""
    bodies = Counter(text["body"] for text in arrived)
    resent = [text["body"] for text in arrived if set(text["submits"]) != {1}]
    twice = sorted(body for body, count in bodies.items() if count > 1) + resent
    assert not twice, f"{replay}: sent twice: {twice[:5]} of {len(twice)}"
    lost = [body for body, state in states.items() if state != "doubtful" and body not in bodies]
    assert not lost, f"{replay}: lost: {[(body, states[body]) for body in lost[:5]]} of {len(lost)}"
    odd = Counter(states.values()).keys() - {"delivered", "doubtful"}
    assert not odd, f"{replay}: {Counter(states.values())}"
