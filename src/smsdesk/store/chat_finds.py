"""Chats as a list of what was found, for people: each in one line, with the words in it that were looked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from smsdesk.domain.periods import first_id
from smsdesk.store.chat_search import ALL_IDS, ChatFilter, Search, find_said, read_search, said_in_chat
from smsdesk.store.db import Connection, Ids, keep_plans

ABOUT = {
    "failed": """exists (select from messages f where f.tenant_id = $1 and f.chat_id = c.chat_id
                         and f.state in ('undelivered', 'failed', 'expired'))""",
    "doubtful": "c.chat_id in (select x.chat_id from texts x where x.tenant_id = $1 and x.state = 'doubtful')",
    "hold": "c.chat_id in (select h.chat_id from consent_holds h where h.tenant_id = $1 and h.decided_at is null)",
    "crm": """c.chat_id in (select j.chat_id from crm_jobs j where j.tenant_id = $1
                            and j.state in ('queued', 'failed') and j.state = 'failed')""",
    "file": """exists (select from media f where f.tenant_id = $1 and f.chat_id = c.chat_id and f.state = 'refused')""",
    "rated": "c.rating is not null",
    "abandoned": "c.status = 'abandoned'",
    "unanswered": "c.fail_reason = 'no_response'",
}
"""What chats may be about, beside what their rows say."""


@dataclass(frozen=True, slots=True)
class FindFilter:
    """Which chats are meant, beyond what `ChatFilter` says; None does not filter."""

    chats: ChatFilter
    queue_ids: tuple[int, ...] | None = None
    """A queue with those below it."""
    about: str | None = None
    """One of ABOUT."""
    disposition: str | None = None
    chat_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class FoundChat:
    """A chat of the list."""

    chat_id: int
    status: str
    direction: str
    created_at: datetime
    ends_at: datetime | None
    number: str
    name: str
    outbound_number: str
    queue_id: int | None
    queue: str | None
    agent_id: int | None
    agent: str | None
    ticket_id: str | None
    fail_reason: str | None
    rating: int | None
    body: str = ""
    """The line that was found; where no words were looked for, the last one of the consumer, an agent or a program."""


RARE = 500
"""Messages. Where more have the words, chats are looked for among the latest, then two months at a time."""
LATEST = 1_000
"""Chats. Where a page of these have the words, no others are looked at."""
OVERLAP = timedelta(seconds=Ids.LIFE)
"""For so long ids of a month may still be used when the next one has begun."""


async def find_listed(conn: Connection, tenant_id: int, wanted: FindFilter, limit: int) -> list[FoundChat]:
    """The chats that are meant, the newest first."""
    found = await _find(conn, tenant_id, wanted, limit)
    lines = await _lines(conn, tenant_id, [one.chat_id for one in found], wanted.chats.q)
    return [replace(one, body=lines.get(one.chat_id, "")) for one in found]


async def _find(conn: Connection, tenant_id: int, wanted: FindFilter, limit: int) -> list[FoundChat]:
    if wanted.chats.q is None:
        return await _find_rows(conn, tenant_id, wanted, limit)
    said = await find_said(conn, tenant_id, wanted.chats.q, RARE)
    if said is not None:
        known = set(said) if wanted.chat_ids is None else set(said) & set(wanted.chat_ids)
        rare = replace(wanted, chats=replace(wanted.chats, q=None), chat_ids=tuple(known))
        return await _find_rows(conn, tenant_id, rare, limit)
    found = await _find_latest(conn, tenant_id, wanted, limit)
    if len(found) == limit:
        return found
    found = []
    for ids, since in await _stretches(conn):
        some = await _find_rows(conn, tenant_id, replace(wanted, chats=replace(wanted.chats, ids=ids)), limit)
        found = sorted([*found, *some], key=lambda one: (one.created_at, one.chat_id), reverse=True)[:limit]
        if len(found) == limit and found[-1].created_at >= since:
            break
    return found


async def _stretches(conn: Connection) -> list[tuple[tuple[int, int], datetime]]:
    """The months two by two, the latest first: which ids they have, and since when no chat gets an id from before."""
    rows = await conn.fetch("select period, began_at from periods where began_at is not null order by period desc")
    found, end = [], ALL_IDS[1]
    for row in rows[1::2]:
        first = first_id(row["period"])
        found.append(((first, end), row["began_at"] + OVERLAP))
        end = first
    return [*found, ((0, end), datetime.min.replace(tzinfo=UTC))]


async def _find_latest(conn: Connection, tenant_id: int, wanted: FindFilter, limit: int) -> list[FoundChat]:
    """Among the latest chats that the filter means but for its words, those with these."""
    search = await _read(conn, tenant_id, replace(wanted, chats=replace(wanted.chats, q=None)))
    latest = f"select * from chats c {search.where} {_NEWEST_FIRST} limit {LATEST}"
    said = said_in_chat(tenant_id, f"${len(search.arguments) + 1}")
    arguments = (*search.arguments, wanted.chats.q, limit)
    return await _fetch(conn, f"select * from ({latest}) c where {said} {_NEWEST_FIRST}", arguments)


async def _find_rows(conn: Connection, tenant_id: int, wanted: FindFilter, limit: int) -> list[FoundChat]:
    search = await _read(conn, tenant_id, wanted)
    return await _fetch(conn, f"select * from chats c {search.where} {_NEWEST_FIRST}", (*search.arguments, limit))


async def _read(conn: Connection, tenant_id: int, wanted: FindFilter) -> Search:
    search = await read_search(conn, tenant_id, wanted.chats, newest_first=True)
    if wanted.queue_ids is not None:
        search.add("c.queue_id = any ({})", list(wanted.queue_ids))
    if wanted.chat_ids is not None:
        search.add("c.chat_id = any ({})", list(wanted.chat_ids))
    if wanted.disposition is not None:
        search.add(
            "exists (select from wrap_ups w where w.tenant_id = $1 and w.chat_id = c.chat_id and w.disposition = {})",
            wanted.disposition,
        )
    if wanted.about is not None:
        search.add(ABOUT[wanted.about])
    return search


_NEWEST_FIRST = "order by c.created_at desc, c.chat_id desc"


async def _fetch(conn: Connection, chats: str, arguments: Sequence[object]) -> list[FoundChat]:
    """What is shown of these chats, as many as the last of the arguments says."""
    rows = await conn.fetch(
        f"""
        select c.chat_id, c.status, c.direction, c.created_at, c.ends_at, e.number,
               trim(coalesce(n.first_name, '') || ' ' || coalesce(n.last_name, '')), c.outbound_number,
               c.queue_id, q.name, c.agent_id,
               coalesce(nullif(trim(a.first_name || ' ' || a.last_name), ''), a.email), c.ticket_id, c.fail_reason,
               c.rating
        from ({chats} limit ${len(arguments)}) c
        join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
        left join end_user_names n on n.tenant_id = $1 and n.end_user_id = coalesce(e.merged_into, c.end_user_id)
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        left join agents a on a.tenant_id = $1 and a.agent_id = c.agent_id
        {_NEWEST_FIRST}
        """,
        *arguments,
    )  # fmt: skip
    return [FoundChat(*row) for row in rows]


async def _lines(conn: Connection, tenant_id: int, chat_ids: Sequence[int], words: str | None) -> dict[int, str]:
    said = "m.sender not in ('note', 'system')"
    if words is not None:
        said = (
            "exists (select from message_words w where w.tenant_id = $1 and w.chat_id = m.chat_id "
            "and w.message_id = m.message_id and w.words @@ websearch_to_tsquery('simple', $3))"
        )
    async with conn.transaction():
        await keep_plans(conn)
        rows = await conn.fetch(
            f"""
            select l.chat_id, shown_body($1, l.chat_id, l.message_id, l.body)
            from unnest($2::bigint[]) u (chat_id)
            cross join lateral (
                select m.chat_id, m.message_id, m.body from messages m
                where m.tenant_id = $1 and m.chat_id = u.chat_id and {said}
                order by m.created_at desc, m.message_id desc limit 1
            ) l
            """,
            tenant_id, chat_ids, *([] if words is None else [words]),
        )  # fmt: skip
    return {row[0]: row[1] for row in rows}


async def find_by_id(conn: Connection, tenant_id: int, either: int) -> list[int]:
    """The chat of this id, and that of the text of this id."""
    rows = await conn.fetch(
        """
        select chat_id from chats where tenant_id = $1 and chat_id = $2
        union select chat_id from texts where tenant_id = $1 and message_id = $2
        union select chat_id from parts where tenant_id = $1 and message_id = $2
        """,
        tenant_id, either,
    )  # fmt: skip
    return [row[0] for row in rows]


async def has_ticket(conn: Connection, tenant_id: int, ticket_id: str) -> bool:
    """Whether a chat is about this ticket."""
    return bool(
        await conn.fetchval(
            """select exists (select from chats where tenant_id = $1 and ticket_id = $2 and ticket_id is not null)""",
            tenant_id, ticket_id,
        )
    )  # fmt: skip


async def find_person(conn: Connection, tenant_id: int, identifier: str) -> int | None:
    """The consumer who is known by this identifier."""
    found: int | None = await conn.fetchval(
        "select end_user_id from end_users where tenant_id = $1 and identifier = $2 and identifier is not null",
        tenant_id, identifier,
    )  # fmt: skip
    return found


async def list_dispositions(conn: Connection, tenant_id: int, latest: int, limit: int) -> list[str]:
    """What the `latest` chats were about that agents have wrapped up, the most frequent first."""
    rows = await conn.fetch(
        """
        select x.disposition from (
            select w.disposition from wrap_ups w where w.tenant_id = $1 and w.disposition <> ''
            order by w.started_at desc limit $2
        ) x
        group by 1 order by count(*) desc, 1 limit $3
        """,
        tenant_id, latest, limit,
    )  # fmt: skip
    return [row[0] for row in rows]
