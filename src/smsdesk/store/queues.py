"""Queues: the menu tree as replies and routing read it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from smsdesk.domain.hours import Hours
from smsdesk.domain.queue_settings import QueueSettings
from smsdesk.domain.setup import SUPERVISORS
from smsdesk.store.db import Connection
from smsdesk.store.effective import refresh_effective


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue with its settings as they stand after inheritance."""

    queue_id: int
    parent_id: int | None
    name: str
    keyword: str | None
    position: int
    hidden: bool
    deleted: bool
    purpose: str | None
    settings: QueueSettings


_QUEUE = """
select queue_id, parent_id, name, keyword, position, hidden, deleted_at is not null as deleted, purpose,
       effective as settings
from queues
where tenant_id = $1 and
"""


async def dispositions_of(conn: Connection, tenant_id: int, queue_id: int | None) -> tuple[str, ...]:
    """What chats of the queue may be about; of one without a queue, what the tenant's queues begin with."""
    found = await conn.fetchval(
        """
        select coalesce(
            (select q.effective -> 'dispositions' from queues q where q.tenant_id = $1 and q.queue_id = $2),
            (select t.settings -> 'queue_defaults' -> 'dispositions' from tenants t
             where t.tenant_id = $1 and $2 is null), '[]'::jsonb)
        """,
        tenant_id, queue_id,
    )  # fmt: skip
    return tuple(found)


async def find_queue(conn: Connection, tenant_id: int, queue_id: int) -> QueueRow | None:
    """A queue, also one that was deleted."""
    return _read(await conn.fetchrow(f"{_QUEUE} queue_id = $2", tenant_id, queue_id))


async def find_children(conn: Connection, tenant_id: int, queue_id: int | None) -> list[QueueRow]:
    """The queues directly below one, or at the top, in their order; the hidden ones too, the deleted ones not."""
    rows = await conn.fetch(
        f"{_QUEUE} parent_id is not distinct from $2 and deleted_at is null order by position, queue_id",
        tenant_id, queue_id,
    )  # fmt: skip
    return [queue for queue in map(_read, rows) if queue is not None]


async def supervisors_queue(conn: Connection, tenant_id: int, now: datetime) -> int:
    """The queue of what belongs to no other; made where the tenant has none yet, with all supervisors in it."""
    queue_id: int | None = await conn.fetchval(
        "select queue_id from queues where tenant_id = $1 and purpose = 'supervisors' and purpose is not null",
        tenant_id,
    )
    if queue_id is not None:
        return queue_id
    await conn.execute(
        """
        insert into queues (tenant_id, name, position, hidden, purpose)
        select $1, case when bool_or(name = $2 and deleted_at is null) then $2 || ' (all else)' else $2 end,
               coalesce(max(position), 0) + 1, true, 'supervisors'
        from queues where tenant_id = $1 and parent_id is null
        on conflict (tenant_id, purpose) where purpose is not null do nothing
        """,
        tenant_id, SUPERVISORS,
    )  # fmt: skip
    await refresh_effective(conn, tenant_id, now)
    return await supervisors_queue(conn, tenant_id, now)


def read_settings(effective: dict[str, Any]) -> QueueSettings:
    """The settings as they were written down by `store/effective.py`."""
    hours = effective.get("hours")
    known = {name: value for name, value in effective.items() if name != "hours"}
    settings = msgspec.convert(known, QueueSettings)
    if hours is None:
        return settings
    holidays = {date.fromisoformat(day): spans for day, spans in hours.get("holidays", {}).items()}
    return replace(settings, hours=Hours(hours["time_zone"], hours["week"], holidays))


def _read(row: asyncpg.Record | None) -> QueueRow | None:
    if row is None:
        return None
    return QueueRow(**{**row, "settings": read_settings(row["settings"])})
