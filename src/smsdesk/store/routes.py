"""Which carriers are left, and where texts go instead. The rules are in migration 0007."""

from datetime import datetime

from smsdesk.store.db import Connection


async def note_sick(conn: Connection, tenant_id: int, carrier_id: int, node_id: int, why: str, now: datetime) -> None:
    """Says that this node's line to the carrier cannot be trusted with texts."""
    await conn.execute(
        """
        insert into sick_lines (tenant_id, carrier_id, node_id, since, why) values ($1, $2, $3, $5, $4)
        on conflict (tenant_id, carrier_id, node_id) do update set why = excluded.why
        """,
        tenant_id, carrier_id, node_id, why, now,
    )  # fmt: skip


async def note_well(conn: Connection, tenant_id: int, carrier_id: int, node_id: int) -> None:
    """Says that this node's line to the carrier works, or is to be tried."""
    await conn.execute(
        "delete from sick_lines where tenant_id = $1 and carrier_id = $2 and node_id = $3",
        tenant_id, carrier_id, node_id,
    )  # fmt: skip


async def forget_gone(conn: Connection) -> None:
    """Drops what nodes said that are gone."""
    await conn.execute("delete from sick_lines s where not exists (select from nodes n where n.node_id = s.node_id)")


async def find_alternatives(conn: Connection) -> set[tuple[int, int]]:
    """The (tenant, carrier) pairs whose texts can go elsewhere: a look across tenants, without locks."""
    rows = await conn.fetch(
        """
        select distinct n.tenant_id, c.carrier_id from fallbacks f
        join numbers n on n.tenant_id = f.tenant_id and n.number = f.number
        cross join lateral (values (n.carrier_id), (f.carrier_id)) c (carrier_id)
        """
    )
    return {(row["tenant_id"], row["carrier_id"]) for row in rows}


async def find_astray(conn: Connection) -> list[int]:
    """The tenants with a carrier that some node calls sick, or with a number that goes elsewhere."""
    rows = await conn.fetch(
        "select tenant_id from sick_lines union select tenant_id from numbers where current_carrier_id is not null"
    )
    return [row["tenant_id"] for row in rows]


async def route(conn: Connection, tenant_id: int, now: datetime, limit: int) -> int:
    """Sends the texts of the tenant's numbers where they go now: how many that waited were moved, at most `limit`."""
    moved: int = await conn.fetchval("select route_texts($1, $2, $3)", tenant_id, now, limit)
    return moved
