"""Changes of what replies lead to: queues, the agents in them, and their ready-made answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from smsdesk.domain.queue_settings import NAMES
from smsdesk.domain.setup import NEW, Change
from smsdesk.store.sessions import end_sessions_of
from smsdesk.store.setup_scope import Scope
from smsdesk.store.sign_in import drop_browsers, drop_steps_of


async def free_keywords(scope: Scope, changes: Sequence[Change]) -> None:
    """Takes away the keywords that change hands, so that two queues of one plan can exchange them."""
    freed = [
        scope.queues[change.name]
        for change in changes
        if change.kind == "queue" and change.action != "create"
        if change.action == "delete" or any(field.name == "keyword" for field in change.fields)
    ]
    await scope.run("update queues set keyword = null where tenant_id = $1 and queue_id = any($2)", freed)


async def write_queue(scope: Scope, change: Change, new: Mapping[str, Any]) -> None:
    """Makes, changes or takes away a queue, and the places of agents in one that goes."""
    own = {name: new[name] for name in NAMES if name in new}
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
    queue_id = scope.queues[change.name]
    if change.action == "delete":
        await scope.run("delete from agent_queues where tenant_id = $1 and queue_id = $2", queue_id)
        # Chats of the past still name it.
        await scope.update("queues", "queue_id", queue_id, {"deleted_at": scope.now})
        return
    if change.action == "update":
        await scope.update("queues", "queue_id", queue_id, {name: new[name] for name in NEW["queue"] if name in new})
    if own:
        unset = [name for name, value in own.items() if value is None]
        statement = "update queues set settings = (settings || $3) - $4::text[] where tenant_id = $1 and queue_id = $2"
        await scope.run(statement, queue_id, own, unset)


async def write_agent(scope: Scope, change: Change, new: Mapping[str, Any]) -> None:
    """Makes or changes an agent, and his places in queues. Whether he is asked there is worked out by the caller."""
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
    if change.action != "create" and not columns.keys().isdisjoint(("disabled_at", "password_hash")):
        # What the old password opened is over; who may work again signs in again.
        await end_sessions_of(scope.conn, scope.tenant_id, agent_id)
        await drop_steps_of(scope.conn, scope.tenant_id, agent_id)
        await drop_browsers(scope.conn, scope.tenant_id, agent_id)
    if "queues" in new:
        await _write_places(scope, agent_id, {scope.queues[path]: group for path, group in new["queues"].items()})


async def _write_places(scope: Scope, agent_id: int, groups: Mapping[int, int]) -> None:
    """The queues of an agent, each with his group; those that make themselves are by his role and stay."""
    statement = (
        "delete from agent_queues p using queues q where p.tenant_id = $1 and p.agent_id = $2 and q.tenant_id = $1"
        " and q.queue_id = p.queue_id and q.purpose is null and p.queue_id <> all($3::bigint[])"
    )
    await scope.run(statement, agent_id, list(groups))
    statement = (
        "insert into agent_queues (tenant_id, agent_id, queue_id, group_number)"
        " select $1, $2, * from unnest($3::bigint[], $4::smallint[])"
        " on conflict (tenant_id, agent_id, queue_id) do update set group_number = excluded.group_number"
    )
    await scope.run(statement, agent_id, list(groups), list(groups.values()))


async def write_shortcut(scope: Scope, change: Change, new: Mapping[str, Any]) -> None:
    """Makes, changes or takes away a shortcut."""
    if change.action == "delete":
        await scope.run("delete from shortcuts where tenant_id = $1 and lower(name) = $2 and name <> ''", change.name)
        return
    if change.action == "create":
        statement = "insert into shortcuts (tenant_id, name, body) values ($1, $2, $3)"
        await scope.run(statement, change.name, new["text"])
    statement = (
        "update shortcuts set category = coalesce($3, category), body = coalesce($4, body)"
        " where tenant_id = $1 and lower(name) = $2 and name <> ''"
    )
    await scope.run(statement, change.name, new.get("category"), new.get("text"))
