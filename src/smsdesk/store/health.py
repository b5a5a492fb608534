"""What `smsdesk doctor` asks the database: how the server keeps its promises, and what each tenant lacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Server:
    """The server's version, its clock, and the settings that durability stands on (`on`, `off` ...)."""

    version: str
    version_number: int
    """Such as 150018."""
    clock: datetime
    fsync: str
    full_page_writes: str
    synchronous_commit: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """A tenant as far as a doctor looks at it."""

    subdomain: str
    active_tokens: int
    numbers: int
    numbers_without_queue: list[str]
    numbers_without_fallback: list[str]
    limits: Sequence[tuple[str, str, int, int]]
    """Scope, name, seconds and segments of each."""


@dataclass(frozen=True, slots=True)
class CarrierRow:
    """A configured line; secrets in `config` are references."""

    subdomain: str
    name: str
    type: str
    config: dict[str, Any]
    prices: int
    left: str | None
    """Why a node at work does not trust it with texts; None where none says so."""
    elsewhere: list[str]
    """Numbers whose texts go to another carrier now."""
    doubtful: int
    """Texts of which nobody knows whether they left over it."""


async def read_server(conn: Connection) -> Server:
    """The server as this session sees it."""
    row = await conn.fetchrow(
        "select current_setting('server_version') as version, current_setting('server_version_num')::int as number,"
        " clock_timestamp() as clock, current_setting('fsync') as fsync,"
        " current_setting('full_page_writes') as full_page_writes,"
        " current_setting('synchronous_commit') as synchronous_commit"
    )
    assert row is not None, "a select without a table has one row"
    return Server(*row)


async def read_inventories(conn: Connection) -> list[Inventory]:
    """Every tenant by its subdomain, across all of them."""
    rows = await conn.fetch(
        "select t.subdomain,"
        " (select count(*) from credentials c where c.tenant_id = t.tenant_id and c.disabled_at is null),"
        " (select count(*) from numbers n where n.tenant_id = t.tenant_id),"
        " array(select number from numbers n where n.tenant_id = t.tenant_id"
        "  and n.queue_id is null and n.agent_id is null order by 1),"
        " array(select number from numbers n where n.tenant_id = t.tenant_id and not exists"
        "  (select from fallbacks f where f.tenant_id = t.tenant_id and f.number = n.number) order by 1),"
        " array(select row(scope, name, seconds, segments) from limits l where l.tenant_id = t.tenant_id"
        "  order by scope, name, seconds)"
        " from tenants t order by 1"
    )
    return [Inventory(*row) for row in rows]


async def read_carriers(conn: Connection) -> list[CarrierRow]:
    """Every configured line, across all tenants."""
    rows = await conn.fetch(
        "select t.subdomain, c.name, c.type, c.config,"
        " (select count(*) from rates r where r.tenant_id = c.tenant_id and r.carrier_id = c.carrier_id),"
        " (select min(s.why) from sick_lines s where s.tenant_id = c.tenant_id and s.carrier_id = c.carrier_id),"
        " array(select number from numbers n where n.tenant_id = c.tenant_id and n.carrier_id = c.carrier_id"
        "  and n.current_carrier_id is not null order by 1),"
        " (select count(*) from texts x where x.tenant_id = c.tenant_id and x.carrier_id = c.carrier_id"
        "  and x.state = 'doubtful')"
        " from carriers c join tenants t on t.tenant_id = c.tenant_id"
        " order by 1, 2"
    )
    return [CarrierRow(*row) for row in rows]
