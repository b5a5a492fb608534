"""What was judged about quiet hours: windows of queued texts, rules that decided, zones of consumers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from smsdesk.domain.quiet_hours import QuietHours
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Window:
    """When a queued text may leave, and why."""

    message_id: int
    due_at: datetime | None
    """From when on; None leaves it as it stands."""
    not_after: datetime | None
    """Until when; None at any time."""
    rule: str
    category: str | None = None
    """What it is for; None leaves it as it stands."""
    valid_until: datetime | None = None
    """When it is past its time; None leaves it as it stands."""


@dataclass(frozen=True, slots=True)
class Late:
    """A queued text that may not leave any more for now."""

    message_id: int
    number: str
    time_zone: str | None
    category: str


async def read_quiet_hours(conn: Connection, tenant_id: int) -> QuietHours:
    """The tenant's rule, as it stands now."""
    given = await conn.fetchval("select settings -> 'quiet_hours' from tenants where tenant_id = $1", tenant_id)
    return msgspec.convert(given or {}, QuietHours)


async def find_time_zones(conn: Connection, tenant_id: int, numbers: Iterable[str]) -> Mapping[str, str]:
    """The zones of those consumers of whom one is known."""
    rows = await conn.fetch(
        """
        select e.number, e.time_zone from unnest($2::text[]) u (number)
        cross join lateral (
            select e.number, e.time_zone from end_users e
            where e.tenant_id = $1 and e.number = u.number and e.number > '' offset 0
        ) e
        where e.time_zone is not null
        """,
        tenant_id, list(numbers),
    )  # fmt: skip
    return {row["number"]: row["time_zone"] for row in rows}


async def set_time_zone(conn: Connection, tenant_id: int, number: str, zone: str, now: datetime) -> None:
    """Keeps where a consumer is. What is held for him waits until it was judged again."""
    await conn.execute("select set_time_zone($1, $2, $3, $4)", tenant_id, number, zone, now)


async def set_windows(conn: Connection, tenant_id: int, windows: Sequence[Window]) -> None:
    """Writes down when queued texts may leave; those that are not queued any more stay as they are."""
    await conn.execute(
        "select set_windows($1, $2, $3, $4, $5, $6, $7)",
        tenant_id,
        [one.message_id for one in windows],
        [one.due_at for one in windows],
        [one.not_after for one in windows],
        [one.valid_until for one in windows],
        [one.category for one in windows],
        [one.rule for one in windows],
    )


async def find_late(conn: Connection, tenant_id: int, now: datetime, limit: int) -> list[Late]:
    """Queued texts whose window is past, the earliest first, locked; those that are being claimed are passed over."""
    rows = await conn.fetch(
        """
        select t.message_id, t.destination, e.time_zone, coalesce(m.category, 'transactional') as category
        from texts t
        cross join lateral (
            select m.category from messages m
            where m.tenant_id = $1 and m.chat_id = t.chat_id and m.message_id = t.message_id offset 0
        ) m
        left join lateral (
            select e.time_zone from end_users e where e.tenant_id = $1 and e.number = t.destination and e.number > ''
            offset 0
        ) e on true
        where t.tenant_id = $1 and t.state = 'queued' and t.not_after is not null and t.not_after <= $2
        order by t.not_after limit $3 for update of t skip locked
        """,
        tenant_id, now, limit,
    )  # fmt: skip
    return [Late(row["message_id"], row["destination"], row["time_zone"], row["category"]) for row in rows]
