"""What belonged to chats of a period that has gone, in the tables that are not partitioned: taken away in small bites.

Each bite is a transaction of its own, so that nobody waits for it. Proof stays: consent, opt-outs, holds, the audit.
"""

from datetime import datetime

from smsdesk.domain.periods import first_id
from smsdesk.store.db import Connection

BITE = 500
"""Rows that are taken away at once."""
PAGES = 1000
"""Pages of a table that are read at once where no index leads to the rows (8 MB)."""

BY_CHAT = ("timers", "offers", "casts", "transfers", "wrap_ups", "surveys", "verifications", "desk_chats", "crm_jobs")
"""What names a chat, in no order. `chats` come last, once nothing names them."""
BY_MESSAGE = ("moves", "settlements")


async def take_rows(conn: Connection, table: str, tenant_id: int, period: int) -> int:
    """Takes away at most BITE rows of a tenant that are of chats (or for BY_MESSAGE, texts) of the period: how many."""
    key = "message_id" if table in BY_MESSAGE else "chat_id"
    # The condition is that of an index of crm_jobs; it is always true.
    status = await conn.execute(
        f"""
        delete from {table} where ctid = any (array(
            select ctid from {table} where tenant_id = $1 and {key} >= $2 and {key} < $3 and {key} > 0 limit {BITE}
            for update skip locked
        ))
        """,
        tenant_id, first_id(period), first_id(period + 1),
    )  # fmt: skip
    return _count(status)


async def take_keys(conn: Connection, period: int, page: int) -> int | None:
    """Takes away the idempotency keys of the period's sends, in PAGES pages from this one on: the page to go on with,
    None at the table's end. They live as long as their message, and no index leads to them: a send pays for none."""
    return await _take_pages(
        conn, "idempotency_keys", "message_id >= $1 and message_id < $2", (first_id(period), first_id(period + 1)), page
    )


async def take_orphans(conn: Connection, before: datetime, page: int) -> int | None:
    """The same of the receipts that came before then and fitted no text."""
    return await _take_pages(conn, "orphan_receipts", "at < $1", (before,), page)


async def _take_pages(
    conn: Connection, table: str, condition: str, arguments: tuple[int | datetime, ...], page: int
) -> int | None:
    pages: int = await conn.fetchval(f"select pg_relation_size('{table}') / current_setting('block_size')::int")
    if page >= pages:
        return None
    await conn.execute(
        f"""
        delete from {table} where ctid = any (array(
            select ctid from {table}
            where ctid >= '({int(page)},0)' and ctid < '({int(page) + PAGES},0)' and {condition}
        ))
        """,
        *arguments,
    )
    return page + PAGES


async def list_files(conn: Connection, tenant_id: int, period: int, limit: int) -> list[tuple[int, int, str | None]]:
    """Files of chats of the period as (chat, media, key); the key only where no other chat has the same content."""
    rows = await conn.fetch(
        """
        select m.chat_id, m.media_id,
               case when m.content_key is not null and not exists (
                   select from media o
                   where o.tenant_id = m.tenant_id and o.content_key = m.content_key and o.content_key is not null
                     and (o.chat_id < $2 or o.chat_id >= $3)
               ) then m.content_key end
        from media m where m.tenant_id = $1 and m.chat_id >= $2 and m.chat_id < $3 limit $4
        """,
        tenant_id, first_id(period), first_id(period + 1), limit,
    )  # fmt: skip
    return [(row[0], row[1], row[2]) for row in rows]


async def take_file(conn: Connection, tenant_id: int, chat_id: int, media_id: int) -> None:
    """Takes away the row of a file whose octets are gone, or are another chat's as well."""
    await conn.execute(
        "delete from media where tenant_id = $1 and chat_id = $2 and media_id = $3", tenant_id, chat_id, media_id
    )


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
