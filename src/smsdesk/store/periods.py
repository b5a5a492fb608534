"""Periods of history as the database has them: their partitions, the sequence of ids, and the table `periods`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.periods import first_id, period_of_id
from smsdesk.store.db import Connection

TABLES = {"messages": "chat_id", "participants": "chat_id", "message_words": "chat_id", "spans": "chat_id",
          "parts": "message_id"}  # fmt: skip
"""What lies in partitions, by which id. The migration 0022 says the same."""
LOCK_TIMEOUT = "500ms"
"""How long a change of partitions waits for a table, and all traffic behind it. Raises LockNotAvailableError after."""
LOCK_KEY = 0x534D44
"""`pg_advisory_xact_lock` of who makes partitions or moves the sequence: one process at a time."""


@dataclass(frozen=True, slots=True)
class Period:
    """A month of history, as `periods` has it."""

    period: int
    opened_at: datetime
    began_at: datetime | None
    """Since when its ids are handed out; None for one that was made ahead."""
    left_at: datetime | None
    """Since when ids of a later one are; a process may use one of its own for an hour more (`db.Ids`)."""
    going_at: datetime | None
    gone_at: datetime | None


async def list_periods(conn: Connection) -> list[Period]:
    """Every period that was ever opened, the oldest first."""
    rows = await conn.fetch(
        """
        select p.period, p.opened_at, p.began_at,
               (select min(l.began_at) from periods l where l.period > p.period) as left_at, p.going_at, p.gone_at
        from periods p order by p.period
        """
    )
    return [Period(*row) for row in rows]


async def open_period(conn: Connection, period: int, now: datetime) -> bool:
    """Makes the partitions of a period, where they are not there: whether any was made.

    Each is made apart and then attached, which lets sends and replies go on. A period that has gone stays gone. Run in
    no transaction: each table is a transaction of its own. Raises LockNotAvailableError where a table is held.
    """
    made = False
    for table, key in TABLES.items():
        async with conn.transaction():
            await _take_turns(conn)
            if await conn.fetchval("select 1 from periods where period = $1 and going_at is not null", period):
                return made
            if not await _has(conn, table, period):
                await _make(conn, table, key, period)
                made = True
    await conn.execute(
        "insert into periods (period, opened_at) values ($1, $2) on conflict do nothing", period, now
    )  # fmt: skip
    return made


async def move_on(conn: Connection, period: int, now: datetime) -> bool:
    """Lets the sequence hand out the period's ids from now on; False where it does, or is beyond, or the period is not
    open: ids then go on in the one before."""
    async with conn.transaction():
        await _take_turns(conn)
        is_open = await conn.fetchval("select 1 from periods where period = $1 and going_at is null", period)
        if not is_open or await _last_id(conn) >= first_id(period):
            await _note_begun(conn, now)
            return False
        # Whoever asks in between gets an id of the period before, which is as right.
        await conn.fetchval("select setval('id_blocks', $1, false)", first_id(period))
        await _note_begun(conn, now)
        return True


async def period_in_use(conn: Connection) -> int:
    """The period whose ids are handed out now."""
    return period_of_id(await _last_id(conn))


async def drop_partition(conn: Connection, table: str, period: int) -> bool:
    """Drops what a table has of a period; False where there is nothing. Raises LockNotAvailableError where it is held:
    nobody waited longer for it than LOCK_TIMEOUT."""
    async with conn.transaction():
        await conn.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        if not await _has(conn, table, period):
            return False
        await conn.execute(f"drop table {_name(table, period)}")
        return True


async def _take_turns(conn: Connection) -> None:
    await conn.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
    await conn.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")


async def _last_id(conn: Connection) -> int:
    """The first id of the block that was handed out last, or that is handed out next where none was."""
    last: int = await conn.fetchval("select last_value from id_blocks")
    return last


async def _note_begun(conn: Connection, now: datetime) -> None:
    """A period with very many ids runs on into the next, without a word from anybody."""
    await conn.execute(
        "update periods set began_at = $2 where period = $1 and began_at is null",
        period_of_id(await _last_id(conn)), now,
    )  # fmt: skip


def _name(table: str, period: int) -> str:
    return f"{table}_p{period}"


async def _has(conn: Connection, table: str, period: int) -> bool:
    return bool(await conn.fetchval("select to_regclass($1) is not null", _name(table, period)))


async def _make(conn: Connection, table: str, key: str, period: int) -> None:
    name = _name(table, period)
    # A partitioned table has no options of storage of its own: each partition is kept as the latest is.
    options: Sequence[str] | None = await conn.fetchval(
        """
        select c.reloptions from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = $1::text::regclass order by substring(c.relname from '[0-9]+$')::int desc limit 1
        """,
        table,
    )
    kept = f" with ({', '.join(options)})" if options else ""
    await conn.execute(f"create table {name} (like {table} including all){kept}")
    await conn.execute(
        f"alter table {table} attach partition {name} for values from ({first_id(period)}) to ({first_id(period + 1)})"
    )


async def mark_going(conn: Connection, period: int, now: datetime) -> None:
    """The period goes: what is begun now is finished by whoever runs next, whatever he is told of days."""
    await conn.execute("update periods set going_at = $2 where period = $1 and going_at is null", period, now)


async def mark_gone(conn: Connection, period: int, now: datetime) -> None:
    """Nothing is left of the period."""
    await conn.execute("update periods set gone_at = $2 where period = $1 and gone_at is null", period, now)


# What keeps a period.


async def find_flying(conn: Connection, period: int) -> int | None:
    """A text in flight that is of the period, or of a chat of it."""
    found: int | None = await conn.fetchval(
        """
        select message_id from texts
        where message_id >= $1 and message_id < $2 or chat_id >= $1 and chat_id < $2 limit 1
        """,
        first_id(period), first_id(period + 1),
    )  # fmt: skip
    return found


async def find_undecided(conn: Connection, tenant_id: int, period: int) -> int | None:
    """A chat of the period with a reply of which a person has yet to say whether it was a revocation."""
    found: int | None = await conn.fetchval(
        """
        select chat_id from consent_holds
        where tenant_id = $1 and decided_at is null and chat_id >= $2 and chat_id < $3 limit 1
        """,
        tenant_id, first_id(period), first_id(period + 1),
    )  # fmt: skip
    return found


async def find_late(
    conn: Connection, tenant_id: int, period: int, before: datetime
) -> tuple[int, datetime | None] | None:
    """A chat of the period that has not ended before then, and when it ended; None where all have."""
    where = (tenant_id, first_id(period), first_id(period + 1))
    open_chat = await conn.fetchval(
        """
        select chat_id from chats
        where tenant_id = $1 and chat_id >= $2 and chat_id < $3 and ends_at is null and expires_at is null limit 1
        """,
        *where,
    )
    if open_chat is not None:
        return open_chat, None
    # From the end, where those are that ended last.
    row = await conn.fetchrow(
        """
        select chat_id, ends_at from chats
        where tenant_id = $1 and chat_id >= $2 and chat_id < $3 and (ends_at is null or ends_at >= $4)
        order by chat_id desc limit 1
        """,
        *where, before,
    )  # fmt: skip
    return (row["chat_id"], row["ends_at"]) if row else None


# For people.


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a period is: rows as the statistics have them, octets as the disk has them (indexes included)."""

    chats: int = 0
    rows: int = 0
    octets: int = 0


async def weigh(conn: Connection) -> dict[int, Weight]:
    """What each period weighs, with its share of the table of chats, which are counted."""
    counted = await conn.fetch("select chat_id / $1 as period, count(*) from chats group by 1", first_id(1))
    all_chats = sum(row["count"] for row in counted)
    of_chats: int = await conn.fetchval("select pg_total_relation_size('chats')")
    chats = {row["period"]: row["count"] for row in counted}
    rows = await conn.fetch(
        """
        select substring(c.relname from '[0-9]+$')::int as period, sum(greatest(c.reltuples, 0))::bigint as rows,
               sum(pg_total_relation_size(c.oid))::bigint as octets
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = any (array(select t::regclass from unnest($1::text[]) t)) group by 1
        """,
        list(TABLES),
    )
    parts = {row["period"]: (row["rows"], row["octets"]) for row in rows}
    return {
        period: Weight(
            chats.get(period, 0),
            parts.get(period, (0, 0))[0],
            parts.get(period, (0, 0))[1] + of_chats * chats.get(period, 0) // max(all_chats, 1),
        )
        for period in chats.keys() | parts.keys()
    }
