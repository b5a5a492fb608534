"""Changes of what texts go over: carriers, numbers, limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from smsdesk.domain.price import Rates
from smsdesk.domain.setup import Change, read_limit_name
from smsdesk.store.setup_scope import Scope


async def write_carrier(scope: Scope, change: Change, new: Mapping[str, Any]) -> None:
    """Makes, changes or takes away a carrier and its prices."""
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


async def _write_rates(scope: Scope, carrier: str, rates: Rates | None) -> None:
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


async def write_number(scope: Scope, change: Change, new: Mapping[str, Any]) -> None:
    """Makes, changes or takes away a number, its fallbacks, and where replies to it go."""
    if change.action == "delete":
        await scope.run("delete from numbers where tenant_id = $1 and number = $2", change.name)
        return
    columns = {name: value for name, value in new.items() if name in ("label", "campaign", "brand")}
    if "carrier" in new:
        statement = "select carrier_id from carriers where tenant_id = $1 and name = $2"
        columns["carrier_id"] = await scope.value(statement, new["carrier"])
    if "queue" in new:
        columns["queue_id"] = scope.queues.get(new["queue"] or "")
    if "agent" in new:
        statement = "select agent_id from agents where tenant_id = $1 and lower(email) = $2 and email > ''"
        columns["agent_id"] = await scope.value(statement, new["agent"])
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


async def _write_fallbacks(scope: Scope, number: str, carriers: Sequence[str]) -> None:
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


async def write_limit(scope: Scope, change: Change, new: Mapping[str, Any]) -> None:
    """Makes, changes or takes away a limit."""
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
