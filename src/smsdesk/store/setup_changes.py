"""Changes of a tenant's set-up: one statement or two for each change of a plan."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.domain.price import Rates
from smsdesk.domain.setup import NEW, Change, Kind, read_limit_name
from smsdesk.store.db import Connection
from smsdesk.store.setup import queue_paths


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
    """What must end before the changes can be made: texts on their way over a carrier that goes, chats in a queue."""
    gone = [change for change in changes if change.action == "delete"]
    carriers = [change.name for change in gone if change.kind == "carrier"]
    rows = await conn.fetch(
        "select c.name, count(*) from texts t join carriers c on c.tenant_id = t.tenant_id"
        " and c.carrier_id = t.carrier_id where t.tenant_id = $1 and c.name = any($2) group by 1 order by 1",
        tenant_id,
        carriers,
    )
    found = [f"carrier {row[0]} has {row[1]} texts on their way: wait until they have ended" for row in rows]
    queues = {change.name for change in gone if change.kind == "queue"}
    if queues:
        paths = await queue_paths(conn, tenant_id)
        rows = await conn.fetch(
            "select queue_id, count(*) from chats where tenant_id = $1 and ends_at is null and queue_id = any($2)"
            " group by 1 order by 1",
            tenant_id,
            [queue_id for queue_id, path in paths.items() if path in queues],
        )
        found += [f"queue {paths[row[0]]} has {row[1]} open chats: finish or transfer them first" for row in rows]
    return found


@dataclass(frozen=True, slots=True)
class _Scope:
    """What every change of one plan is written with."""

    conn: Connection
    tenant_id: int
    now: datetime
    queues: dict[str, int]
    """The id of every queue by its path; grows with the queues that the plan makes."""

    async def run(self, statement: str, *values: object) -> None:
        await self.conn.execute(statement, self.tenant_id, *values)

    async def value(self, statement: str, *values: object) -> Any:
        return await self.conn.fetchval(statement, self.tenant_id, *values)

    async def update(self, table: str, key: str, of: object, columns: Mapping[str, Any]) -> None:
        """Sets columns of one row. Table and columns are named by this file, never by a user."""
        if columns:
            sets = ", ".join(f"{name} = ${index}" for index, name in enumerate(columns, 3))
            statement = f"update {table} set {sets} where tenant_id = $1 and {key} = $2"
            await self.run(statement, of, *columns.values())


async def write_changes(conn: Connection, tenant_id: int, changes: Sequence[Change], now: datetime) -> None:
    """Makes the changes of a plan, in its order. The caller holds the tenant's lock and ends the transaction."""
    paths = await queue_paths(conn, tenant_id)
    scope = _Scope(conn, tenant_id, now, {path: queue_id for queue_id, path in paths.items()})
    await _free_keywords(scope, changes)
    for change in changes:
        await _WRITERS[change.kind](scope, change, {field.name: field.new for field in change.fields})


async def _free_keywords(scope: _Scope, changes: Sequence[Change]) -> None:
    """Takes away the keywords that change hands, so that two queues of one plan can exchange them."""
    freed = [
        scope.queues[change.name]
        for change in changes
        if change.kind == "queue" and change.action != "create"
        if change.action == "delete" or any(field.name == "keyword" for field in change.fields)
    ]
    await scope.run("update queues set keyword = null where tenant_id = $1 and queue_id = any($2)", freed)


async def _write_settings(scope: _Scope, _: Change, new: Mapping[str, Any]) -> None:
    unset = [name for name, value in new.items() if value is None]
    await scope.run("update tenants set settings = (settings || $2) - $3::text[] where tenant_id = $1", new, unset)


async def _write_carrier(scope: _Scope, change: Change, new: Mapping[str, Any]) -> None:
    config = {name: value for name, value in new.items() if name not in ("type", "rates")}
    if change.action == "create":
        statement = "insert into carriers (tenant_id, name, type, config) values ($1, $2, $3, $4)"
        await scope.run(statement, change.name, new["type"], config)
    elif change.action == "update":
        unset = [name for name, value in config.items() if value is None]
        statement = "update carriers set config = (config || $3) - $4::text[] where tenant_id = $1 and name = $2"
        await scope.run(statement, change.name, config, unset)
    else:
        await scope.run("delete from carriers where tenant_id = $1 and name = $2", change.name)
    if "rates" in new:
        await _write_rates(scope, change.name, new["rates"])


async def _write_rates(scope: _Scope, carrier: str, rates: Rates | None) -> None:
    """Puts a price list in the place of the carrier's; None takes it away."""
    statement = "update carriers set currency = $3 where tenant_id = $1 and name = $2 returning carrier_id"
    carrier_id = await scope.value(statement, carrier, rates.currency if rates else None)
    await scope.run("delete from rates where tenant_id = $1 and carrier_id = $2", carrier_id)
    if rates:
        statement = (
            "insert into rates (tenant_id, carrier_id, prefix, price)"
            " select $1, $2, * from unnest($3::text[], $4::numeric[])"
        )
        await scope.run(statement, carrier_id, list(rates.prices), list(rates.prices.values()))


async def _write_queue(scope: _Scope, change: Change, new: Mapping[str, Any]) -> None:
    if change.action == "create":
        parent, _, name = change.name.rpartition("/")
        fields = {**NEW["queue"], **new}
        scope.queues[change.name] = await scope.value(
            "insert into queues (tenant_id, parent_id, name, keyword, hidden, position)"
            " values ($1, $2, $3, $4, $5, $6) returning queue_id",
            scope.queues.get(parent),
            name,
            fields["keyword"],
            fields["hidden"],
            fields["position"],
        )
        return
    queue_id = scope.queues[change.name]
    if change.action == "delete":
        await scope.run("delete from agent_queues where tenant_id = $1 and queue_id = $2", queue_id)
        # Chats of the past still name it.
        await scope.update("queues", "queue_id", queue_id, {"deleted_at": scope.now})
    else:
        await scope.update("queues", "queue_id", queue_id, new)


async def _write_number(scope: _Scope, change: Change, new: Mapping[str, Any]) -> None:
    if change.action == "delete":
        await scope.run("delete from numbers where tenant_id = $1 and number = $2", change.name)
        return
    columns = {name: value for name, value in new.items() if name in ("label", "campaign", "brand")}
    if "carrier" in new:
        statement = "select carrier_id from carriers where tenant_id = $1 and name = $2"
        columns["carrier_id"] = await scope.value(statement, new["carrier"])
    if "queue" in new:
        columns["queue_id"] = scope.queues.get(new["queue"] or "")
    if change.action == "create":
        statement = "insert into numbers (tenant_id, number, carrier_id) values ($1, $2, $3)"
        await scope.run(statement, change.name, columns["carrier_id"])
    await scope.update("numbers", "number", change.name, columns)
    if "fallbacks" in new:
        await _write_fallbacks(scope, change.name, new["fallbacks"])
    if "carrier" in new or "fallbacks" in new:
        # Another carrier of its own is tried at once, and one that is no fallback any more is left.
        statement = (
            "update numbers n set current_carrier_id = null, current_why = null"
            " where n.tenant_id = $1 and n.number = $2 and ($3 or not exists (select from fallbacks f"
            " where f.tenant_id = $1 and f.number = $2 and f.carrier_id = n.current_carrier_id))"
        )
        await scope.run(statement, change.name, "carrier" in new)
        await scope.conn.execute("select bring_home($1, $2, $3)", scope.tenant_id, change.name, scope.now)


async def _write_fallbacks(scope: _Scope, number: str, carriers: Sequence[str]) -> None:
    """Puts fallbacks in the place of the number's. What closed one of those that stay still holds."""
    closed = await scope.conn.fetch(
        "delete from fallbacks where tenant_id = $1 and number = $2 returning carrier_id, closed_until, closed_why",
        scope.tenant_id,
        number,
    )
    statement = (
        "insert into fallbacks (tenant_id, number, position, carrier_id, closed_until, closed_why)"
        " select $1, $2, u.position, c.carrier_id, closed.until, closed.why"
        " from unnest($3::text[]) with ordinality u (name, position)"
        " join carriers c on c.tenant_id = $1 and c.name = u.name"
        " left join unnest($4::bigint[], $5::timestamptz[], $6::text[]) closed (carrier_id, until, why)"
        " on closed.carrier_id = c.carrier_id"
    )
    await scope.run(statement, number, carriers, *([row[index] for row in closed] for index in range(3)))


async def _write_limit(scope: _Scope, change: Change, new: Mapping[str, Any]) -> None:
    scope_of, of, seconds = read_limit_name(change.name)
    if change.action == "delete":
        statement = "delete from limits where tenant_id = $1 and scope = $2 and name = $3 and seconds = $4"
        await scope.run(statement, scope_of, of, seconds)
        return
    statement = (
        "insert into limits (tenant_id, scope, name, seconds, segments) values ($1, $2, $3, $4, $5)"
        " on conflict (tenant_id, scope, name, seconds) do update set segments = excluded.segments"
    )
    await scope.run(statement, scope_of, of, seconds, new["segments"])


async def _write_agent(scope: _Scope, change: Change, new: Mapping[str, Any]) -> None:
    if change.action == "create":
        statement = "insert into agents (tenant_id, email) values ($1, $2) returning agent_id"
        agent_id = await scope.value(statement, new["email"])
    else:
        statement = "select agent_id from agents where tenant_id = $1 and lower(email) = $2 and email > ''"
        agent_id = await scope.value(statement, change.name)
    columns = {name: value for name, value in new.items() if name not in ("queues", "disabled", "password")}
    if "disabled" in new:
        columns["disabled_at"] = scope.now if new["disabled"] else None
    if "password" in new:
        columns["password_hash"] = new["password"]
    await scope.update("agents", "agent_id", agent_id, columns)
    if "queues" in new:
        await scope.run("delete from agent_queues where tenant_id = $1 and agent_id = $2", agent_id)
        statement = "insert into agent_queues (tenant_id, agent_id, queue_id) select $1, $2, unnest($3::bigint[])"
        await scope.run(statement, agent_id, [scope.queues[path] for path in new["queues"]])


_WRITERS: dict[Kind, Callable[[_Scope, Change, Mapping[str, Any]], Awaitable[None]]] = {
    "settings": _write_settings,
    "carrier": _write_carrier,
    "queue": _write_queue,
    "number": _write_number,
    "limit": _write_limit,
    "agent": _write_agent,
}
