"""The limits that tenants have set, which node keeps them, and what was let go under them before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.pace import Limit, Sender
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Limits:
    """A tenant's limits, and what its numbers belong to; two that are equal need no new count."""

    limits: tuple[Limit, ...]
    senders: dict[str, Sender]


async def find_limits(conn: Connection) -> dict[int, Limits]:
    """The limits of every tenant that has any: a look across tenants, without locks."""
    rows = await conn.fetch(
        "select tenant_id, scope, name, segments, seconds from limits order by tenant_id, scope, name, seconds"
    )
    found: dict[int, list[Limit]] = {}
    for row in rows:
        found.setdefault(row["tenant_id"], []).append(
            Limit(row["scope"], row["name"], row["segments"], float(row["seconds"]))
        )
    rows = await conn.fetch(
        "select tenant_id, number, campaign, brand from numbers where tenant_id = any ($1)", list(found)
    )
    senders: dict[int, dict[str, Sender]] = {tenant_id: {} for tenant_id in found}
    for row in rows:
        senders[row["tenant_id"]][row["number"]] = Sender(row["campaign"], row["brand"])
    return {tenant_id: Limits(tuple(limits), senders[tenant_id]) for tenant_id, limits in found.items()}


async def take(conn: Connection, tenant_id: int, node_id: int, now: datetime) -> bool:
    """Whether this node keeps the tenant's limits now; it does if nobody else that lives does."""
    taken: bool = await conn.fetchval("select take_pace($1, $2, $3)", tenant_id, node_id, now)
    return taken


async def leave_to_others(conn: Connection, tenant_id: int, node_id: int, now: datetime) -> bool:
    """Lets another node keep the tenant's limits, where another lives: whether this one has ceased to."""
    left = await conn.fetchval(
        """
        delete from pacers where tenant_id = $1 and node_id = $2
        and exists (select from nodes n where n.node_id <> $2 and n.alive_until > $3) returning 1
        """,
        tenant_id, node_id, now,
    )  # fmt: skip
    return left is not None


async def give_back(conn: Connection, node_id: int) -> None:
    """Lets other nodes keep what this one kept: it sends nothing any more."""
    await conn.execute("delete from pacers where node_id = $1", node_id)


@dataclass(frozen=True, slots=True)
class Passed:
    """Segments that were let go in one minute. The carrier is empty where it is deleted."""

    source: str
    carrier: str
    minute: datetime
    segments: int


async def find_passed(conn: Connection, tenant_id: int, since: datetime) -> Sequence[Passed]:
    """What was let go under the tenant's limits since then, whoever did it."""
    rows = await conn.fetch(
        """
        select p.source, coalesce(c.name, ''), p.minute, p.segments from paced p
        left join carriers c on c.tenant_id = p.tenant_id and c.carrier_id = p.carrier_id
        where p.tenant_id = $1 and p.minute >= date_trunc('minute', $2::timestamptz) order by p.minute
        """,
        tenant_id, since,
    )  # fmt: skip
    return [Passed(*row) for row in rows]


async def forget_passed(conn: Connection, before: datetime) -> None:
    """Drops what was let go before then, unless a window of its tenant reaches further back."""
    await conn.execute(
        """
        delete from paced p where p.minute < $1 and p.minute < $1 - make_interval(secs => coalesce(
            (select max(l.seconds) from limits l where l.tenant_id = p.tenant_id), 0))
        """,
        before,
    )
