"""Chats that somebody looks for: by what they are, and by the words that were said in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.chat import Chat
from smsdesk.domain.chat_life import OPEN
from smsdesk.errors import Problem
from smsdesk.store.chats import find_chats
from smsdesk.store.db import Connection

SELDOM = 10_000
"""Messages. Words that no more of them have are looked up first; those that more have are met soon on the way through
the list."""

ALL_IDS = (0, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """Which chats of a tenant are meant; None does not filter."""

    statuses: tuple[str, ...] = ()
    number: str | None = None
    end_user_id: int | None = None
    outbound_number: str | None = None
    agent_id: int | None = None
    queue_id: int | None = None
    lang: str | None = None
    direction: str | None = None
    ticket_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    ended_from: datetime | None = None
    ended_to: datetime | None = None
    unread: bool | None = None
    """Open, and the consumer's last words have no answer yet; or (False) all others."""
    q: str | None = None
    """Words of one of its messages, as `websearch_to_tsquery` reads them: "a phrase", or, -without."""
    after: int | None = None
    """Only what comes behind this chat."""
    ids: tuple[int, int] = ALL_IDS
    """Only chats with such ids, the last of which does not count. Words are met on the way through the list then, where
    many messages have them: right for some months, not for a year in which they may be said at the far end alone."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which way the list goes, by the time of creation, and which part of it is meant."""

    newest_first: bool
    limit: int
    offset: int = 0


@dataclass(slots=True)
class Search:
    """A filter as SQL: only what filters is in it, so that the plan is that of the question."""

    conditions: list[str]
    arguments: list[object]

    def add(self, condition: str, *values: object) -> None:
        """One more condition, with `{}` where each of its values goes."""
        for value in values:
            self.arguments.append(value)
            condition = condition.replace("{}", f"${len(self.arguments)}", 1)
        self.conditions.append(condition)

    @property
    def where(self) -> str:
        return "where " + " and ".join(self.conditions)


async def read_search(conn: Connection, tenant_id: int, wanted: ChatFilter, *, newest_first: bool) -> Search:
    """The filter, with what it names looked up. Raises Problem `parameter_invalid` where `q` holds no word, or `after`
    names no chat."""
    # The bound that is always true is the index's own: see chats_by_time.
    search = Search(["c.tenant_id = $1", "c.created_at > '2000-01-01'"], [tenant_id])
    for condition, value in (
        ("c.outbound_number = {}", wanted.outbound_number),
        ("c.agent_id = {}", wanted.agent_id),
        ("c.queue_id = {}", wanted.queue_id),
        ("c.lang = {}", wanted.lang),
        ("c.direction = {}", wanted.direction),
        ("c.ticket_id = {}", wanted.ticket_id),
        ("c.created_at >= {}", wanted.created_from),
        ("c.created_at < {}", wanted.created_to),
        ("c.ends_at >= {}", wanted.ended_from),
        ("c.ends_at < {}", wanted.ended_to),
        ("c.status = any ({})", list(wanted.statuses) or None),
    ):
        if value is not None:
            search.add(condition, value)
    if wanted.statuses and set(wanted.statuses) <= set(OPEN):
        search.conditions.append("c.ends_at is null")
    if wanted.unread is not None:
        search.conditions.append(_UNREAD if wanted.unread else f"not {_UNREAD}")
    if wanted.number is not None or wanted.end_user_id is not None:
        ids = await _find_end_users(conn, tenant_id, wanted)
        search.add(_OF_END_USERS, ids, ids)
    if wanted.ids != ALL_IDS:
        search.add("c.chat_id >= {} and c.chat_id < {}", *wanted.ids)
    if wanted.q is not None:
        await _add_words(conn, search, tenant_id, wanted)
    if wanted.after is not None:
        way = "<" if newest_first else ">"
        at = await _created_at(conn, tenant_id, wanted.after)
        search.add(f"(c.created_at, c.chat_id) {way} ({{}}, {{}})", at, wanted.after)
    return search


_UNREAD = (
    "(c.ends_at is null and c.end_user_said_at is not null"
    " and (c.agent_said_at is null or c.agent_said_at < c.end_user_said_at))"
)
# Open and ended ones have an index each.
_OF_END_USERS = "(c.ends_at is null and c.end_user_id = any ({}) or c.ends_at is not null and c.end_user_id = any ({}))"


async def list_chats(conn: Connection, tenant_id: int, search: Search, order: Order) -> list[Chat]:
    """A page of chats, whole, in the order of their creation."""
    way = "desc" if order.newest_first else "asc"
    count = len(search.arguments)
    rows = await conn.fetch(
        f"select c.chat_id from chats c {search.where} order by c.created_at {way}, c.chat_id {way} "
        f"limit ${count + 1} offset ${count + 2}",
        *search.arguments, order.limit, order.offset,
    )  # fmt: skip
    ids: Sequence[int] = [row["chat_id"] for row in rows]
    chats = await find_chats(conn, tenant_id, ids) if ids else {}
    return [chats[chat_id] for chat_id in ids if chat_id in chats]


async def count_chats(conn: Connection, search: Search) -> int:
    """How many chats there are of the kind."""
    count: int = await conn.fetchval(f"select count(*) from chats c {search.where}", *search.arguments)
    return count


async def _find_end_users(conn: Connection, tenant_id: int, wanted: ChatFilter) -> list[int]:
    """The consumers meant: by an id a person with all his phones, by a number that phone alone."""
    found: list[int] = await conn.fetchval(
        """
        select array(
            select e.end_user_id from end_users e
            where e.tenant_id = $1
              and (e.number = $2::text and e.number > '' or e.end_user_id = $3::bigint
                   or e.merged_into = $3 and e.merged_into is not null)
              and ($2 is null or e.number = $2)
              and ($3 is null or e.end_user_id = $3 or e.merged_into = $3))
        """,
        tenant_id, wanted.number, wanted.end_user_id,
    )  # fmt: skip
    return found


async def find_said(
    conn: Connection, tenant_id: int, q: str, most: int, ids: tuple[int, int] = ALL_IDS
) -> list[int] | None:
    """The chats with such ids in which a message has the words; None where more than `most` messages have. Raises
    Problem `parameter_invalid` where `q` holds no word."""
    words: int = await conn.fetchval("select numnode(websearch_to_tsquery('simple', $1))", q)
    if not words:
        raise Problem("parameter_invalid", "q has no word to search for")
    # The ids as they are, and no values: PostgreSQL takes a range that it does not know for a short one, and reads it.
    first, end = map(int, ids)
    found: list[int] = await conn.fetchval(
        f"select array(select w.chat_id from message_words w where w.tenant_id = $1 and w.chat_id >= {first} "
        f"and w.chat_id < {end} and w.words @@ {_asked(tenant_id, '$2')} limit $3)",
        tenant_id, q, most + 1,
    )  # fmt: skip
    return found if len(found) <= most else None


async def _add_words(conn: Connection, search: Search, tenant_id: int, wanted: ChatFilter) -> None:
    assert wanted.q is not None
    found = await find_said(conn, tenant_id, wanted.q, SELDOM, wanted.ids)
    if found is not None:
        search.add("c.chat_id = any ({})", found)
        return
    if wanted.ids == ALL_IDS:
        said = f"select w.chat_id from message_words w where w.tenant_id = $1 and w.words @@ {_asked(tenant_id, '{}')}"
        search.add(f"c.chat_id in ({said})", wanted.q)
    else:
        search.add(said_in_chat(tenant_id, "{}"), wanted.q)


def said_in_chat(tenant_id: int, words: str) -> str:
    """The condition that a message of chat `c` has the words, looked at chat by chat: PostgreSQL takes words that go
    together for rare, and would read all chats that have them first."""
    return (
        "exists (select from message_words w where w.tenant_id = $1 and w.chat_id = c.chat_id "
        f"and w.words @@ {_asked(tenant_id, words)} offset 0)"
    )


def _asked(tenant_id: int, words: str) -> str:
    return f"(websearch_to_tsquery('simple', {words}) && '''t:{int(tenant_id)}'''::tsquery)"


async def _created_at(conn: Connection, tenant_id: int, chat_id: int) -> datetime:
    at: datetime | None = await conn.fetchval(
        "select created_at from chats where tenant_id = $1 and chat_id = $2", tenant_id, chat_id
    )
    if at is None:
        raise Problem("parameter_invalid", "after names no chat")
    return at
