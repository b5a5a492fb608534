"""Changes of a tenant's set-up: one statement or two for each change of a plan."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from smsdesk.domain.setup import Change, Kind
from smsdesk.store.db import Connection
from smsdesk.store.setup import queue_paths
from smsdesk.store.setup_desk import free_keywords, write_agent, write_queue, write_shortcut
from smsdesk.store.setup_lines import write_carrier, write_limit, write_number
from smsdesk.store.setup_scope import Scope


async def create_tenant(conn: Connection, subdomain: str, now: datetime) -> int | None:
    """Makes an empty tenant, whose row is then locked; None where somebody else has just made it."""
    tenant_id: int = await conn.fetchval("select nextval(pg_get_serial_sequence('tenants', 'tenant_id'))")
    done = await conn.execute(
        "insert into subdomains (subdomain, tenant_id) values ($1, $2) on conflict do nothing", subdomain, tenant_id
    )
    if done == "INSERT 0 0":
        return None
    await conn.execute(
        "insert into tenants (tenant_id, subdomain, created_at, changed_at) values ($1, $2, $3, $3)",
        tenant_id,
        subdomain,
        now,
    )
    return tenant_id


async def obstacles(conn: Connection, tenant_id: int, changes: Iterable[Change]) -> list[str]:
    """What must end before the changes can be made: texts on their way over a carrier that goes, chats in a queue that
    goes without a word about where to."""
    gone = [change for change in changes if change.action == "delete"]
    carriers = [change.name for change in gone if change.kind == "carrier"]
    rows = await conn.fetch(
        "select c.name, count(*) from texts t join carriers c on c.tenant_id = t.tenant_id"
        " and c.carrier_id = t.carrier_id where t.tenant_id = $1 and c.name = any($2) group by 1 order by 1",
        tenant_id,
        carriers,
    )
    found = [f"carrier {row[0]} has {row[1]} texts on their way: wait until they have ended" for row in rows]
    queues = {change.name for change in gone if change.kind == "queue" and not change.fields}
    if queues:
        paths = await queue_paths(conn, tenant_id)
        rows = await conn.fetch(
            "select queue_id, count(*) from chats where tenant_id = $1 and ends_at is null and queue_id = any($2)"
            " group by 1 order by 1",
            tenant_id,
            [queue_id for queue_id, path in paths.items() if path in queues],
        )
        remedy = "finish or transfer them first, or write move_chats_to: PATH beside its name"
        found += [f"queue {paths[row[0]]} has {row[1]} open chats: {remedy}" for row in rows]
    return found


async def write_changes(conn: Connection, tenant_id: int, changes: Sequence[Change], now: datetime) -> None:
    """Makes the changes of a plan, in its order. The caller holds the tenant's lock and ends the transaction."""
    paths = await queue_paths(conn, tenant_id)
    scope = Scope(conn, tenant_id, now, {path: queue_id for queue_id, path in paths.items()})
    await free_keywords(scope, changes)
    # The settings name a queue, which the plan may make.
    for change in sorted(changes, key=lambda change: change.kind == "settings"):
        await _WRITERS[change.kind](scope, change, {field.name: field.new for field in change.fields})


async def _write_settings(scope: Scope, _: Change, new: Mapping[str, Any]) -> None:
    named = {"default_queue": scope.queues.get(new["default_queue"] or "")} if "default_queue" in new else {}
    unset = [name for name, value in new.items() if value is None]
    statement = "update tenants set settings = (settings || $2) - $3::text[] where tenant_id = $1"
    await scope.run(statement, {**new, **named}, unset)


_WRITERS: dict[Kind, Callable[[Scope, Change, Mapping[str, Any]], Awaitable[None]]] = {
    "settings": _write_settings,
    "carrier": write_carrier,
    "queue": write_queue,
    "number": write_number,
    "limit": write_limit,
    "agent": write_agent,
    "shortcut": write_shortcut,
}
