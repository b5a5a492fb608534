"""The lines that tenants have set up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class CarrierSetup:
    """A line as it is set up; two that are equal need no restart."""

    tenant_id: int
    carrier_id: int
    name: str
    type: str
    config: dict[str, Any]


async def find_changed(conn: Connection, since: datetime) -> dict[int, list[CarrierSetup]]:
    """The lines of each tenant whose set-up changed since then: a look across tenants, without locks."""
    rows = await conn.fetch(
        """
        select t.tenant_id, c.carrier_id, c.name, c.type, c.config
        from tenants t left join carriers c on c.tenant_id = t.tenant_id where t.changed_at >= $1
        order by t.tenant_id, c.carrier_id
        """,
        since,
    )
    found: dict[int, list[CarrierSetup]] = {}
    for row in rows:
        lines = found.setdefault(row["tenant_id"], [])
        if row["carrier_id"] is not None:
            lines.append(CarrierSetup(*row))
    return found
