"""The settings of queues after inheritance, worked out whenever the set-up changes: nobody has to climb the tree."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from smsdesk.domain.setup import effective
from smsdesk.store.db import Connection


async def refresh_effective(conn: Connection, tenant_id: int, now: datetime) -> None:
    """Writes the settings of each queue as they stand with those of the queues above it and of the tenant, and works
    out anew which agents are asked. Locks the agents, in the order in which everybody does."""
    settings = await conn.fetchval("select settings from tenants where tenant_id = $1", tenant_id)
    rows = await conn.fetch(
        "select queue_id, parent_id, settings, effective from queues where tenant_id = $1", tenant_id
    )
    parents = {row["queue_id"]: row["parent_id"] for row in rows}
    owns = {row["queue_id"]: row["settings"] for row in rows}
    zone = settings.get("time_zone", "UTC")
    changed: dict[int, dict[str, Any]] = {}
    for row in rows:
        above = [owns[queue_id] for queue_id in _lineage(row["queue_id"], parents)]
        found = effective([settings.get("queue_defaults", {}), *above], zone)
        if found != row["effective"]:
            changed[row["queue_id"]] = found
    await conn.execute(
        """
        update queues q set effective = u.effective from unnest($2::bigint[], $3::jsonb[]) u (queue_id, effective)
        where q.tenant_id = $1 and q.queue_id = u.queue_id
        """,
        tenant_id, list(changed), list(changed.values()),
    )  # fmt: skip
    await conn.execute(
        "select refresh_agent($1, agent_id, $2) from agents where tenant_id = $1 order by agent_id", tenant_id, now
    )


def _lineage(queue_id: int | None, parents: Mapping[int, int | None]) -> list[int]:
    """The queues from the top to this one."""
    found: list[int] = []
    while queue_id is not None:
        found.insert(0, queue_id)
        queue_id = parents[queue_id]
    return found
