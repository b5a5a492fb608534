"""What was said in a chat, and how each text of ours ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smsdesk.domain.segments import Segments
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said. `state` and what follows are a text's: where it is, or how it ended; None for the consumer's
    own words."""

    message_id: int
    chat_id: int
    sender: str
    agent_id: int | None
    body: str
    encoding: str
    parts: int
    created_at: datetime
    state: str | None
    reason: str | None
    code: str | None
    state_at: datetime | None
    delivered: int | None
    """Parts that have arrived, of the attempt of which most have: a text is whole on no phone before all have."""
    carrier: str | None
    """The one that was given the text last; None before its first attempt, and where that carrier is deleted."""
    price: Decimal | None
    currency: str | None


_MESSAGES = """
select m.message_id, m.chat_id, m.sender, m.agent_id,
       shown_body(m.tenant_id, m.chat_id, m.message_id, m.body), m.encoding, m.parts, m.created_at,
       coalesce(m.state, t.state) as state, coalesce(m.reason, t.reason) as reason, coalesce(m.code, t.code) as code,
       coalesce(m.ended_at, t.state_at) as state_at,
       case when m.sender not in ('end_user', 'note') then coalesce(p.delivered, 0) end, c.name, m.price, m.currency
from messages m
left join lateral (
    select * from texts t where t.tenant_id = m.tenant_id and t.message_id = m.message_id offset 0
) t on true
left join lateral (
    select max(a.delivered)::int as delivered, (array_agg(a.carrier_id order by a.attempt desc))[1] as carrier_id
    from (
        select p.attempt, max(p.carrier_id) as carrier_id, count(*) filter (where p.state = 'delivered') as delivered
        from parts p where p.tenant_id = m.tenant_id and p.message_id = m.message_id group by p.attempt
    ) a
) p on true
left join carriers c on c.tenant_id = m.tenant_id and c.carrier_id = p.carrier_id
"""


async def list_messages(
    conn: Connection, tenant_id: int, chat_id: int, limit: int | None = None, offset: int = 0
) -> list[Message]:
    """A chat's messages in the order in which they were said."""
    rows = await conn.fetch(
        f"{_MESSAGES} where m.tenant_id = $1 and m.chat_id = $2 order by m.created_at, m.message_id limit $3 offset $4",
        tenant_id,
        chat_id,
        limit,
        offset,
    )
    return [Message(*row) for row in rows]


async def count_messages(conn: Connection, tenant_id: int, chat_id: int) -> int:
    """How many messages a chat has."""
    count: int = await conn.fetchval(
        "select count(*) from messages where tenant_id = $1 and chat_id = $2", tenant_id, chat_id
    )
    return count


PRIORITIES = {"confirmation": 0, "answer": 1, "notice": 2}
"""Which kind of text goes first. A confirmation waits for nobody: it has five minutes (47 CFR 64.1200(a)(12))."""


@dataclass(frozen=True, slots=True)
class NewText:
    """A message of ours with the text that carries it."""

    message_id: int
    chat_id: int
    sender: str
    agent_id: int | None
    credential_id: int | None
    body: str
    segments: Segments
    kind: str
    carrier_id: int
    source: str
    destination: str
    at: datetime
    valid_until: datetime
    on_doubt: str = "hold"


async def add_texts(conn: Connection, tenant_id: int, texts: Sequence[NewText]) -> None:
    """Writes messages and puts their texts in the queue, of the carrier that their number uses now. Notices to the same
    phone that wait before an answer become as urgent as it is, also one that is tried now and may come back."""
    for text in texts:
        await conn.execute(
            """
            insert into messages (tenant_id, chat_id, message_id, sender, agent_id, credential_id, body, encoding,
                                  parts, on_doubt, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, 'hold'), $11)
            """,
            tenant_id, text.chat_id, text.message_id, text.sender, text.agent_id, text.credential_id, text.body,
            text.segments.encoding, len(text.segments.parts), text.on_doubt, text.at,
        )  # fmt: skip
        await conn.execute(
            """
            with line as (
                select current_carrier_id, current_why from numbers where tenant_id = $1 and number = $5
            ), moved as (
                insert into moves (tenant_id, message_id, at, from_carrier_id, to_carrier_id, why)
                select $1, $2, $7, $4, current_carrier_id, current_why from line where current_carrier_id is not null
            )
            insert into texts (tenant_id, message_id, chat_id, carrier_id, source, destination, state, due_at,
                               state_at, queued_at, valid_until, kind, priority, parts, on_doubt, hops)
            values ($1, $2, $3, coalesce((select current_carrier_id from line), $4), $5, $6, 'queued', $7, $7, $7, $8,
                    $9, $10, $11, $12, (select count(current_carrier_id) from line))
            """,
            tenant_id, text.message_id, text.chat_id, text.carrier_id, text.source, text.destination, text.at,
            text.valid_until, text.kind, PRIORITIES[text.kind], len(text.segments.parts), text.on_doubt,
        )  # fmt: skip
        await tell(conn, tenant_id, Hint("message", text.chat_id))
        await conn.execute(
            """
            update texts set priority = $4
            where tenant_id = $1 and message_id = any (array(select t.message_id from texts_to($1, $2) t))
              and source = $3 and state in ('queued', 'sending') and priority > $4 and $4 > 0 and queued_at <= $5
            """,
            tenant_id, text.destination, text.source, PRIORITIES[text.kind], text.at,
        )  # fmt: skip
