"""A tenant's set-up as one State, in the words of the set-up file."""

from collections import defaultdict
from collections.abc import Mapping

from smsdesk.domain.price import Rates
from smsdesk.domain.setup import NEW, Fields, Key, State, limit_name
from smsdesk.store.db import Connection
from smsdesk.store.shortcuts import read_shortcuts
from smsdesk.store.tenants import find_tenant_id


async def read_state(conn: Connection, subdomain: str, *, lock: bool = False) -> State:
    """All that is set up for a subdomain; empty where there is no such tenant.

    With `lock` whoever else wants to change the set-up of the tenant waits until the transaction ends.
    """
    tenant_id = await find_tenant_id(conn, subdomain)
    if tenant_id is None:
        return State(subdomain)
    locking = " for no key update" if lock else ""
    settings = await conn.fetchval(f"select settings from tenants where tenant_id = $1{locking}", tenant_id)
    paths = await queue_paths(conn, tenant_id)
    default = {"default_queue": paths.get(settings["default_queue"])} if "default_queue" in settings else {}
    things: dict[Key, Fields] = {("settings", ""): {**settings, **default}}
    things |= await _carriers(conn, tenant_id)
    things |= await _queues(conn, tenant_id, paths)
    things |= await _agents(conn, tenant_id, paths)
    things |= await _numbers(conn, tenant_id, paths)
    things |= await _limits(conn, tenant_id)
    things |= await read_shortcuts(conn, tenant_id)
    return State(subdomain, tenant_id, things)


async def queue_paths(conn: Connection, tenant_id: int) -> dict[int, str]:
    """The path of every queue of the set-up, such as `Support/Billing`: not of deleted ones, nor of those that make
    themselves."""
    rows = await conn.fetch(
        "select queue_id, parent_id, name from queues where tenant_id = $1 and deleted_at is null and purpose is null",
        tenant_id,
    )
    parents = {row["queue_id"]: row["parent_id"] for row in rows}
    names = {row["queue_id"]: row["name"] for row in rows}

    def path(queue_id: int) -> str:
        parent = parents[queue_id]
        return f"{path(parent)}/{names[queue_id]}" if parent in names else str(names[queue_id])

    return {queue_id: path(queue_id) for queue_id in names}


async def _queues(conn: Connection, tenant_id: int, paths: Mapping[int, str]) -> dict[Key, Fields]:
    rows = await conn.fetch(
        "select queue_id, keyword, hidden, position, settings from queues where tenant_id = $1 and queue_id = any($2)",
        tenant_id,
        list(paths),
    )
    return {
        ("queue", paths[row["queue_id"]]): {**{name: row[name] for name in NEW["queue"]}, **row["settings"]}
        for row in rows
    }


async def _carriers(conn: Connection, tenant_id: int) -> dict[Key, Fields]:
    rows = await conn.fetch(
        "select c.name, c.type, c.config, c.currency,"
        " array(select row(r.prefix, r.price) from rates r where r.tenant_id = $1 and r.carrier_id = c.carrier_id)"
        " from carriers c where c.tenant_id = $1",
        tenant_id,
    )
    carriers: dict[Key, Fields] = {}
    for name, kind, config, currency, prices in rows:
        rates = {"rates": Rates(currency, dict(map(tuple, prices)))} if prices else {}
        carriers["carrier", name] = {"type": kind, **config, **rates}
    return carriers


async def _numbers(conn: Connection, tenant_id: int, paths: Mapping[int, str]) -> dict[Key, Fields]:
    rows = await conn.fetch(
        "select n.number, c.name as carrier, n.queue_id, lower(a.email) as agent, n.label, n.campaign, n.brand,"
        " array(select c.name from fallbacks f"
        "  join carriers c on c.tenant_id = f.tenant_id and c.carrier_id = f.carrier_id"
        "  where f.tenant_id = $1 and f.number = n.number order by f.position) as fallbacks"
        " from numbers n"
        " join carriers c on c.tenant_id = n.tenant_id and c.carrier_id = n.carrier_id"
        " left join agents a on a.tenant_id = n.tenant_id and a.agent_id = n.agent_id where n.tenant_id = $1",
        tenant_id,
    )
    return {
        ("number", row["number"]): {
            **{name: row[name] for name in ("carrier", "agent", "label", "campaign", "brand")},
            "fallbacks": tuple(row["fallbacks"]),
            "queue": paths.get(row["queue_id"]),
        }
        for row in rows
    }


async def _limits(conn: Connection, tenant_id: int) -> dict[Key, Fields]:
    rows = await conn.fetch("select scope, name, seconds, segments from limits where tenant_id = $1", tenant_id)
    return {("limit", limit_name(scope, of, seconds)): {"segments": most} for scope, of, seconds, most in rows}


async def _agents(conn: Connection, tenant_id: int, paths: Mapping[int, str]) -> dict[Key, Fields]:
    rows = await conn.fetch(
        "select agent_id, email, first_name, last_name, agent_number, avatar_url, role, password_hash as password,"
        " disabled_at is not null as disabled, max_chats, skills from agents where tenant_id = $1",
        tenant_id,
    )
    places = await conn.fetch(
        "select agent_id, queue_id, group_number from agent_queues where tenant_id = $1 and queue_id = any($2)",
        tenant_id,
        list(paths),
    )
    queues: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for agent_id, queue_id, group in places:
        queues[agent_id][paths[queue_id]] = group
    return {
        ("agent", row["email"].lower()): {
            **{name: row[name] for name in NEW["agent"] if name != "queues"},
            "skills": tuple(row["skills"]),
            "queues": queues.get(row["agent_id"], {}),
        }
        for row in rows
    }
