"""Pictures, films and other files of chats: their rows, never their octets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from smsdesk.domain.media import BY_CONTENT_TYPE, Media, MediaType
from smsdesk.domain.media_link import LINK_DAYS, PATH, make_token
from smsdesk.store.carriers import CarrierSetup
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell

# The link expires by the clock of the server that has the rows: one clock for all nodes.
_MEDIA = f"""
select m.tenant_id, m.chat_id, m.media_id, m.message_id, m.direction, m.state, m.kind, m.content_type, m.size, m.name,
       m.reason, m.created_at, k.key, now() as now, coalesce(t.settings ->> 'public_url', '') as public_url,
       coalesce((t.settings ->> 'media_link_days')::int, {LINK_DAYS}) as days
from media m
join tenants t on t.tenant_id = m.tenant_id
left join media_keys k on k.tenant_id = m.tenant_id
"""


async def find_media(conn: Connection, tenant_id: int, chat_ids: Sequence[int]) -> dict[int, list[Media]]:
    """The files of these chats, in the order in which they came; uploads that were not sent yet as well."""
    rows = await conn.fetch(
        f"{_MEDIA} where m.tenant_id = $1 and m.chat_id = any($2) order by m.created_at, m.position, m.media_id",
        tenant_id, list(chat_ids),
    )  # fmt: skip
    found: dict[int, list[Media]] = {chat_id: [] for chat_id in chat_ids}
    for row in rows:
        found[row["chat_id"]].append(_media(row))
    return found


async def find_outgoing(conn: Connection, tenant_id: int, message_ids: Sequence[int]) -> dict[int, tuple[Media, ...]]:
    """What goes by MMS with these texts, in its order; texts without anything are not in it."""
    rows = await conn.fetch(
        f"""
        {_MEDIA} where m.tenant_id = $1 and m.message_id = any($2) and m.sent_as = 'mms' order by m.position
        """,
        tenant_id, list(message_ids),
    )  # fmt: skip
    found: dict[int, tuple[Media, ...]] = {}
    for row in rows:
        found[row["message_id"]] = (*found.get(row["message_id"], ()), _media(row))
    return found


def _media(row: asyncpg.Record) -> Media:
    url = None
    if row["state"] == "kept":
        what = (row["tenant_id"], row["chat_id"], row["media_id"])
        suffix = BY_CONTENT_TYPE[row["content_type"]].suffix
        url = f"{row['public_url'].rstrip('/')}{PATH}{make_token(row['key'], what, row['now'], row['days'])}.{suffix}"
    return Media(
        row["media_id"], row["chat_id"], row["message_id"], row["direction"], row["state"], row["kind"],
        row["content_type"], row["size"], row["name"], row["reason"], row["created_at"], url,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is there: what it is, and where its octets are."""

    kind: MediaType
    content_key: str
    link_key: bytes


async def find_kept(conn: Connection, tenant_id: int, chat_id: int, media_id: int) -> KeptFile | None:
    """The file of this id, where it is kept."""
    row = await conn.fetchrow(
        """
        select m.content_type, m.content_key, k.key from media m join media_keys k on k.tenant_id = m.tenant_id
        where m.tenant_id = $1 and m.chat_id = $2 and m.media_id = $3 and m.state = 'kept'
        """,
        tenant_id, chat_id, media_id,
    )  # fmt: skip
    return None if row is None else KeptFile(BY_CONTENT_TYPE[row["content_type"]], row["content_key"], row["key"])


# Writing.


@dataclass(frozen=True, slots=True)
class WantedMedia:
    """A file that came with a reply: to be fetched, or refused at once where there is a reason."""

    media_id: int
    url: str
    name: str
    reason: str | None = None


async def add_wanted(
    conn: Connection, tenant_id: int, message: tuple[int, int, int], media: Sequence[WantedMedia], now: datetime
) -> None:
    """Notes what came with a message, named as (chat, message, carrier)."""
    await _ensure_key(conn, tenant_id)
    await conn.executemany(
        """
        insert into media (tenant_id, chat_id, message_id, carrier_id, media_id, position, direction, state, source_url,
                           name, reason, due_at, created_at, state_at)
        values ($1, $2, $3, $4, $5, $6, 'in', case when $9::text is null then 'wanted' else 'refused' end, $7, $8, $9,
                case when $9::text is null then $10::timestamptz end, $10, $10)
        """,
        [
            (tenant_id, *message, one.media_id, place, one.url, one.name, one.reason, now)
            for place, one in enumerate(media)
        ],
    )


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is kept already."""

    chat_id: int
    media_id: int
    kind: MediaType
    content_key: str
    size: int
    name: str


async def add_upload(conn: Connection, tenant_id: int, file: NewFile, now: datetime) -> None:
    """Notes a file that may go with an answer."""
    await _ensure_key(conn, tenant_id)
    await conn.execute(
        """
        insert into media (tenant_id, chat_id, media_id, direction, state, kind, content_type, content_key, size, name,
                           created_at, state_at)
        values ($1, $2, $3, 'out', 'kept', $4, $5, $6, $7, $8, $9, $9)
        """,
        tenant_id, file.chat_id, file.media_id, file.kind.kind, file.kind.content_type, file.content_key, file.size,
        file.name, now,
    )  # fmt: skip


async def _ensure_key(conn: Connection, tenant_id: int) -> None:
    await conn.execute("insert into media_keys (tenant_id) values ($1) on conflict do nothing", tenant_id)


async def lock_uploads(conn: Connection, tenant_id: int, chat_id: int, media_ids: Sequence[int]) -> list[Media]:
    """The uploads of a chat that no message has taken yet, in this order; another transaction that wants one waits."""
    rows = await conn.fetch(
        f"""
        {_MEDIA} where m.tenant_id = $1 and m.chat_id = $2 and m.media_id = any($3) and m.direction = 'out'
                   and m.state = 'kept' and m.message_id is null
        order by array_position($3, m.media_id) for update of m
        """,
        tenant_id, chat_id, list(media_ids),
    )  # fmt: skip
    return [_media(row) for row in rows]


async def attach(
    conn: Connection, tenant_id: int, message: tuple[int, int], media_ids: Sequence[int], sent_as: str
) -> None:
    """Sends uploads with a message, named as (chat, message), in this order: as `mms` or as `link`."""
    await conn.execute(
        """
        update media m set message_id = $3, position = array_position($4, m.media_id), sent_as = $5
        where m.tenant_id = $1 and m.chat_id = $2 and m.media_id = any($4)
        """,
        tenant_id, *message, list(media_ids), sent_as,
    )  # fmt: skip


async def find_line(conn: Connection, tenant_id: int, number: str) -> tuple[str, dict[str, Any]] | None:
    """Type and settings of the line that a number's texts leave by now."""
    row = await conn.fetchrow(
        """
        select c.type, c.config from numbers n
        join carriers c on c.tenant_id = n.tenant_id and c.carrier_id = coalesce(n.current_carrier_id, n.carrier_id)
        where n.tenant_id = $1 and n.number = $2
        """,
        tenant_id, number,
    )  # fmt: skip
    return None if row is None else (row["type"], row["config"])


# Fetching.


@dataclass(frozen=True, slots=True)
class ClaimedMedia:
    """A file that this process fetches now, and no other."""

    chat_id: int
    media_id: int
    attempt: int
    """1 for the first try. What became of it counts for this attempt alone."""
    carrier_id: int
    url: str


async def find_carriers(conn: Connection, tenant_id: int, carrier_ids: Sequence[int]) -> dict[int, CarrierSetup]:
    """The lines of these ids, whose passwords open what they keep for us."""
    rows = await conn.fetch(
        "select tenant_id, carrier_id, name, type, config from carriers where tenant_id = $1 and carrier_id = any($2)",
        tenant_id, list(carrier_ids),
    )  # fmt: skip
    return {row["carrier_id"]: CarrierSetup(*row) for row in rows}


async def claim(conn: Connection, tenant_id: int, now: datetime, until: datetime, limit: int) -> list[ClaimedMedia]:
    """Files that are due, the longest first. One of which nothing is heard until then is due again."""
    rows = await conn.fetch(
        """
        with due as (
            select chat_id, media_id from media
            where tenant_id = $1 and state = 'wanted' and due_at <= $2 order by due_at limit $4 for update skip locked
        )
        update media m set due_at = $3, attempt = m.attempt + 1 from due
        where m.tenant_id = $1 and m.chat_id = due.chat_id and m.media_id = due.media_id
        returning m.chat_id, m.media_id, m.attempt, m.carrier_id, m.source_url
        """,
        tenant_id, now, until, limit,
    )  # fmt: skip
    return [ClaimedMedia(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of an attempt: kept, refused for good, or to be tried again at a time."""

    kind: MediaType | None = None
    content_key: str | None = None
    size: int | None = None
    reason: str | None = None
    again_at: datetime | None = None


async def settle(conn: Connection, tenant_id: int, media: ClaimedMedia, fetched: Fetched, now: datetime) -> bool:
    """Writes down what became of an attempt; False where another one has begun since."""
    state = "kept" if fetched.kind else "refused" if fetched.again_at is None else "wanted"
    status = await conn.execute(
        """
        update media set state = $5, kind = $6, content_type = $7, content_key = $8, size = $9, reason = $10,
                         due_at = $11, state_at = $12,
                         source_url = case when $5 = 'wanted' then source_url end
        where tenant_id = $1 and chat_id = $2 and media_id = $3 and attempt = $4 and state = 'wanted'
        """,
        tenant_id, media.chat_id, media.media_id, media.attempt, state, fetched.kind.kind if fetched.kind else None,
        fetched.kind.content_type if fetched.kind else None, fetched.content_key, fetched.size, fetched.reason,
        fetched.again_at, now,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("message", media.chat_id))
    return status == "UPDATE 1"


async def tenants_with_due(conn: Connection, now: datetime) -> list[int]:
    """Who has files to fetch: a look across tenants, without locks."""
    rows = await conn.fetch("select distinct tenant_id from media where state = 'wanted' and due_at <= $1", now)
    return [row["tenant_id"] for row in rows]
