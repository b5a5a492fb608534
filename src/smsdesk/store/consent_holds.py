"""Replies that may be a revocation, until a person says what they meant."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell, tell_of_number


@dataclass(frozen=True, slots=True)
class Hold:
    """A reply of which a person is to say whether its writer wants no more texts."""

    hold_id: int
    number: str
    our_number: str
    at: datetime
    chat_id: int
    message_id: int
    words: str
    reason: str
    decided_at: datetime | None = None
    decision: str | None = None
    """`revoked` or `allowed`."""
    decided_by: str | None = None


_COLUMNS = "hold_id, number, source, at, chat_id, message_id, words, reason, decided_at, decision, decided_by"


async def add_hold(conn: Connection, tenant_id: int, hold: Hold) -> bool:
    """From now on no notice leaves between the two numbers; False where that was so already."""
    new = await conn.fetchval(
        """
        insert into consent_holds (tenant_id, hold_id, number, source, at, chat_id, message_id, words, reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant_id, number, source) where decided_at is null do nothing returning true
        """,
        tenant_id, hold.hold_id, hold.number, hold.our_number, hold.at, hold.chat_id, hold.message_id, hold.words,
        hold.reason,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", hold.chat_id))
    return new is not None


async def lock_hold(conn: Connection, tenant_id: int, hold_id: int) -> Hold | None:
    """A hold, locked."""
    row = await conn.fetchrow(
        f"select {_COLUMNS} from consent_holds where tenant_id = $1 and hold_id = $2 for update", tenant_id, hold_id
    )
    return None if row is None else Hold(*row)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was said of a hold, and by whom."""

    decision: str
    by: str
    at: datetime


async def decide(conn: Connection, tenant_id: int, number: str, our_number: str | None, said: Decision) -> None:
    """Ends the open hold between two numbers, or all that this number has. What stood aside may leave, if it may."""
    decided = await conn.fetch(
        """
        update consent_holds set decided_at = $6, decision = $4, decided_by = $5
        where tenant_id = $1 and number = $2 and ($3::text is null or source = $3) and decided_at is null
        returning source
        """,
        tenant_id, number, our_number, said.decision, said.by, said.at,
    )  # fmt: skip
    if decided:
        await conn.execute(
            """
            update texts set due_at = $4
            where tenant_id = $1 and message_id = any (array(select t.message_id from texts_to($1, $2) t))
              and source = any ($3) and state = 'queued' and due_at = 'infinity'
            """,
            tenant_id, number, [row["source"] for row in decided], said.at,
        )  # fmt: skip
        await tell_of_number(conn, tenant_id, number)


async def list_holds(conn: Connection, tenant_id: int, is_open: bool, limit: int, offset: int = 0) -> list[Hold]:
    """The holds that are open, the longest first; or those that were decided, the latest first."""
    order = "at, hold_id" if is_open else "at desc, hold_id desc"
    rows = await conn.fetch(
        f"select {_COLUMNS} from consent_holds where tenant_id = $1 and (decided_at is null) = $2 "
        f"and at > '2000-01-01' order by {order} limit $3 offset $4",
        tenant_id, is_open, limit, offset,
    )  # fmt: skip
    return [Hold(*row) for row in rows]


async def count_holds(conn: Connection, tenant_id: int, is_open: bool) -> int:
    """How many there are."""
    count: int = await conn.fetchval(
        "select count(*) from consent_holds where tenant_id = $1 and (decided_at is null) = $2", tenant_id, is_open
    )
    return count
