"""How a tenant's channel is at this moment, for its health page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Node:
    """A process that sends, alive or not long dead."""

    name: str
    started_at: datetime
    alive_until: datetime


@dataclass(frozen=True, slots=True)
class LineHealth:
    """A configured line and what waits for it."""

    name: str
    type: str
    queued: int
    oldest: datetime | None
    """When the oldest of what may leave now could have."""
    doubtful: int
    sick: Sequence[str]
    """Why nodes do not trust it."""


@dataclass(frozen=True, slots=True)
class Open:
    """What waits for somebody, counted."""

    crm_failed: int
    media_waiting: int
    """Files of replies whose fetching is overdue."""
    holds: int
    tokens: int
    numbers: int
    homeless: Sequence[str]
    """Numbers whose replies reach no queue."""
    queues_alone: Sequence[str]
    """Queues in which nobody works."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The database's own."""

    octets: int
    folder: str | None
    """Where its data lies, where this session may know that."""


_LINES = """
select c.name, c.type,
       (select count(*) from texts t where t.tenant_id = $1 and t.carrier_id = c.carrier_id and t.state = 'queued'),
       (select min(t.due_at) from texts t
        where t.tenant_id = $1 and t.carrier_id = c.carrier_id and t.state = 'queued' and t.due_at <= $2),
       (select count(*) from texts t where t.tenant_id = $1 and t.carrier_id = c.carrier_id and t.state = 'doubtful'),
       array(select distinct s.why from sick_lines s join nodes n on n.node_id = s.node_id and n.alive_until > $2
             where s.tenant_id = $1 and s.carrier_id = c.carrier_id order by 1)
from carriers c where c.tenant_id = $1 order by c.name
"""
_OPEN = """
select (select count(*) from crm_jobs j where j.tenant_id = $1 and j.state = 'failed'),
       (select count(*) from media m where m.tenant_id = $1 and m.state = 'wanted' and m.due_at <= $2),
       (select count(*) from consent_holds h where h.tenant_id = $1 and h.decided_at is null),
       (select count(*) from credentials c where c.tenant_id = $1 and c.disabled_at is null),
       (select count(*) from numbers n where n.tenant_id = $1),
       array(select number from numbers n
             where n.tenant_id = $1 and n.queue_id is null and n.agent_id is null order by 1),
       array(select q.name from queues q
             where q.tenant_id = $1 and q.deleted_at is null and not q.hidden
               and not exists (select from queues k
                               where k.tenant_id = $1 and k.parent_id = q.queue_id and k.deleted_at is null)
               and not exists (select from agent_queues w
                               join agents a on a.tenant_id = $1 and a.agent_id = w.agent_id and a.disabled_at is null
                               where w.tenant_id = $1 and w.queue_id = q.queue_id)
             order by 1)
"""


async def read_nodes(conn: Connection) -> list[Node]:
    """The processes that send, the youngest first: they serve all tenants."""
    rows = await conn.fetch("select name, started_at, alive_until from nodes order by started_at desc limit 20")
    return [Node(*row) for row in rows]


async def read_lines(conn: Connection, tenant_id: int, now: datetime) -> list[LineHealth]:
    """The tenant's lines by name."""
    return [LineHealth(*row) for row in await conn.fetch(_LINES, tenant_id, now)]


async def read_open(conn: Connection, tenant_id: int, late: datetime) -> Open:
    """What waits for somebody; files count that should have been fetched by `late`."""
    row = await conn.fetchrow(_OPEN, tenant_id, late)
    assert row is not None, "a select without a table has one row"
    return Open(*row)


async def read_machine(conn: Connection) -> Machine:
    """How large the database is, and where."""
    row = await conn.fetchrow(
        "select pg_database_size(current_database()), current_setting('data_directory', true)"
        " where pg_has_role('pg_read_all_settings', 'usage')"
    )
    if row is None:
        return Machine(await conn.fetchval("select pg_database_size(current_database())"), None)
    return Machine(*row)
