"""Who must not be texted from which numbers of ours, and the history of how that came and went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.consent import Scope
from smsdesk.domain.consent_list import ConsentLine
from smsdesk.store.db import Connection
from smsdesk.store.telling import tell_of_number


async def is_opted_out(conn: Connection, tenant_id: int, number: str, our_number: str | None = None) -> bool:
    """Whether the number must not be texted from this number of ours; without one, from any of ours."""
    if our_number is not None:
        blocked: bool = await conn.fetchval("select opted_out($1, $2, $3)", tenant_id, number, our_number)
        return blocked
    found = await conn.fetchval(
        "select 1 from opt_outs where tenant_id = $1 and number = $2 limit 1 for key share", tenant_id, number
    )
    return found is not None


async def read_scope(conn: Connection, tenant_id: int, our_number: str, now: datetime) -> Scope:
    """What a STOP to this number of ours covers at this moment, by the tenant's dated rule."""
    row = await conn.fetchrow("select scope, scope_of, rule from consent_scope($1, $2, $3)", tenant_id, our_number, now)
    assert row is not None
    return Scope(*row)


async def opt_out(conn: Connection, tenant_id: int, number: str, scope: Scope, source: str, at: datetime) -> bool:
    """Blocks the number within this scope; False where it was blocked within it already."""
    new = await conn.fetchval(
        """
        insert into opt_outs (tenant_id, number, at, source, scope, scope_of) values ($1, $2, $3, $4, $5, $6)
        on conflict do nothing returning true
        """,
        tenant_id, number, at, source, scope.kind, scope.of,
    )  # fmt: skip
    return new is not None


async def opt_in(
    conn: Connection, tenant_id: int, number: str, scope: Scope | None = None, our_number: str | None = None
) -> list[Scope]:
    """Lets the number be texted again: what was taken out. Within one scope; or whatever blocks texts from this number
    of ours; or everything."""
    rows = await conn.fetch(
        """
        delete from opt_outs o
        where o.tenant_id = $1 and o.number = $2
          and ($3::text is null or (o.scope, o.scope_of) = ($3, $4::text))
          and ($5::text is null or o.scope = 'all' or o.scope = 'number' and o.scope_of = $5
               or o.scope = 'brand' and o.scope_of = (
                   select n.brand from numbers n where n.tenant_id = $1 and n.number = $5))
        returning o.scope, o.scope_of
        """,
        tenant_id, number, scope.kind if scope else None, scope.of if scope else None, our_number,
    )  # fmt: skip
    return [Scope(row["scope"], row["scope_of"]) for row in rows]


async def set_quiet(conn: Connection, tenant_id: int, number: str, now: datetime) -> None:
    """Notes when it was known that nothing claimed before the opt-out was still to leave."""
    await conn.execute(
        "update opt_outs set quiet_at = $3 where tenant_id = $1 and number = $2 and quiet_at is null",
        tenant_id, number, now,
    )  # fmt: skip


async def set_quiet_where_nothing_waits(
    conn: Connection, tenant_id: int, numbers: Sequence[str], now: datetime
) -> list[str]:
    """Does that for those of many numbers that no text is on its way to; gives the others."""
    rows = await conn.fetch(
        """
        with looked_at as (
            select u.number, exists (select from texts_to($1, u.number)) as waits
            from unnest($2::text[]) u (number)
        ), quiet as (
            update opt_outs o set quiet_at = $3 from looked_at l
            where o.tenant_id = $1 and o.number = l.number and not l.waits and o.quiet_at is null
        )
        select distinct number from looked_at where waits
        """,
        tenant_id, numbers, now,
    )  # fmt: skip
    return [row["number"] for row in rows]


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """What changed whether a consumer may be texted."""

    event_id: int
    number: str
    at: datetime
    kind: str
    """`opted_out` or `opted_in`."""
    words: str
    scope: Scope
    source: str = "text"
    """`text`, `api`, `agent`, `file` or `carrier`."""
    actor: str | None = None
    """Who said so, where it was not the consumer: a credential, an agent, a file, a carrier."""
    reason: str | None = None
    """Why the words were taken for what they were."""


async def add_history(conn: Connection, tenant_id: int, event: ConsentEvent) -> None:
    """Adds to what an auditor reads. It is never changed."""
    await conn.execute(
        """
        insert into consent_history (tenant_id, number, at, event_id, kind, source, words, scope, scope_of, actor, rule,
                                     reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        tenant_id, event.number, event.at, event.event_id, event.kind, event.source, event.words, event.scope.kind,
        event.scope.of, event.actor, event.scope.rule, event.reason,
    )  # fmt: skip
    await tell_of_number(conn, tenant_id, event.number)


async def read_history(conn: Connection, tenant_id: int, number: str) -> list[ConsentEvent]:
    """All that is known of a number, the earliest first."""
    rows = await conn.fetch(
        """
        select event_id, number, at, kind, words, scope, scope_of, rule, source, actor, reason from consent_history
        where tenant_id = $1 and number = $2 order by at, event_id
        """,
        tenant_id, number,
    )  # fmt: skip
    return [
        ConsentEvent(event_id, number, at, kind, words, Scope(scope, of, rule), *said)
        for event_id, number, at, kind, words, scope, of, rule, *said in rows
    ]


@dataclass(frozen=True, slots=True)
class OptOutFilter:
    """Which opt-outs are meant; None is any."""

    number: str | None = None
    scope: str | None = None
    scope_of: str | None = None
    source: str | None = None


# The words are those of the latest revocation within the scope.
_ALL = """
select o.number, o.scope, o.scope_of, o.at, o.source, coalesce(h.words, '')
from opt_outs o
left join lateral (
    select h.words from consent_history h
    where h.tenant_id = o.tenant_id and h.number = o.number and h.scope = o.scope and h.scope_of = o.scope_of
      and h.kind = 'opted_out'
    order by h.at desc, h.event_id desc limit 1
) h on true
where o.tenant_id = $1
"""
_LIST = f"""{_ALL}
  and ($2::text is null or o.number = $2) and ($3::text is null or o.scope = $3)
  and ($4::text is null or o.scope_of = $4) and ($5::text is null or o.source = $5)
"""
_ORDER = "order by o.number, o.scope, o.scope_of"


async def list_opt_outs(
    conn: Connection, tenant_id: int, wanted: OptOutFilter, limit: int, offset: int = 0
) -> list[ConsentLine]:
    """The opt-outs that stand, by number."""
    rows = await conn.fetch(
        f"{_LIST} {_ORDER} limit $6 offset $7",
        tenant_id, wanted.number, wanted.scope, wanted.scope_of, wanted.source, limit, offset,
    )  # fmt: skip
    return [ConsentLine(*row) for row in rows]


async def count_opt_outs(conn: Connection, tenant_id: int, wanted: OptOutFilter) -> int:
    """How many opt-outs stand."""
    count: int = await conn.fetchval(
        f"select count(*) from ({_LIST}) x", tenant_id, wanted.number, wanted.scope, wanted.scope_of, wanted.source
    )
    return count


async def next_opt_outs(conn: Connection, tenant_id: int, after: ConsentLine | None, limit: int) -> list[ConsentLine]:
    """The opt-outs that come after this one, for who reads all of them however many there are."""
    last = (after.number, after.scope, after.scope_of) if after else ("", "", "")
    rows = await conn.fetch(
        f"{_ALL} and (o.number, o.scope, o.scope_of) > ($2, $3, $4) {_ORDER} limit $5", tenant_id, *last, limit
    )
    return [ConsentLine(*row) for row in rows]


async def add_opt_outs(
    conn: Connection, tenant_id: int, lines: Sequence[ConsentLine], first_event_id: int, actor: str
) -> list[str]:
    """Takes in lines of a file: the numbers that are new within their scope, each with its history."""
    rows = await conn.fetch(
        """
        with new as (
            insert into opt_outs (tenant_id, number, scope, scope_of, at, source)
            select $1::bigint, number, scope, scope_of, at, source
            from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
                 u (number, scope, scope_of, at, source)
            order by number, scope, scope_of
            on conflict do nothing returning number, scope, scope_of
        ), noted as (
            insert into consent_history (tenant_id, number, at, event_id, kind, source, words, scope, scope_of, actor)
            select $1::bigint, u.number, u.at, $8::bigint + u.i, 'opted_out', u.source, u.words, u.scope, u.scope_of, $9
            from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[]) with ordinality
                 u (number, scope, scope_of, at, source, words, i)
            join new using (number, scope, scope_of)
        )
        select distinct number from new
        """,
        tenant_id, [line.number for line in lines], [line.scope for line in lines], [line.scope_of for line in lines],
        [line.at for line in lines], [line.source for line in lines], [line.words for line in lines],
        first_event_id, actor,
    )  # fmt: skip
    return [row["number"] for row in rows]


async def find_last_text(conn: Connection, tenant_id: int, end_user_id: int, our_number: str) -> str | None:
    """What this number of ours said last to a consumer, in the chat that he is in or was in last."""
    said: str | None = await conn.fetchval(
        """
        select m.body from (
            (select chat_id from chats
             where tenant_id = $1 and end_user_id = $2 and ends_at is null and outbound_number = $3)
            union all
            (select chat_id from chats
             where tenant_id = $1 and end_user_id = $2 and ends_at is not null and outbound_number = $3
             order by ends_at desc limit 2)
        ) c
        join messages m on m.tenant_id = $1 and m.chat_id = c.chat_id
        where m.sender in ('api', 'agent', 'system') order by m.created_at desc, m.message_id desc limit 1
        """,
        tenant_id, end_user_id, our_number,
    )  # fmt: skip
    return said
