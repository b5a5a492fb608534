"""Queues with what goes on in them now: what a supervisor's board and a calling program look at."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection
from smsdesk.store.queues import QueueRow, find_queue


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits in a queue and who is there for it; of a menu, of all queues below it."""

    waiting: int
    waiting_since: datetime | None
    """Since when the chat waits that has waited longest."""
    assigned_agents: int
    """Who works in it, logged in or not."""
    logged_in_agents: int
    available_agents: int
    """Who would be asked now."""
    breakthrough_agents: int
    """Logged in, not available, and with a place left: only who insists (`force`) can give him a chat."""


@dataclass(frozen=True, slots=True)
class LiveQueue:
    """A queue of the tree and what goes on in it."""

    queue: QueueRow
    path_ids: tuple[int, ...]
    path_names: tuple[str, ...]
    is_leaf: bool
    counts: Counts

    @property
    def over_capacity(self) -> bool:
        """Nobody could take a chat now."""
        return self.counts.available_agents == 0


# Every queue that is not deleted, in the order of the menu: a queue before those below it.
_TREE = """
with recursive down as (
    select queue_id, array[queue_id] as ids, array[name] as names, array[row(position, queue_id)] as place
    from queues where tenant_id = $1 and parent_id is null and deleted_at is null
    union all
    select q.queue_id, down.ids || q.queue_id, down.names || q.name, down.place || row(q.position, q.queue_id)
    from down join queues q on q.tenant_id = $1 and q.parent_id = down.queue_id and q.deleted_at is null
)
"""
_WITHIN = "($2::bigint is null or $2 = any(d.ids))"
_COUNTS = f"""
{_TREE}
select d.queue_id, d.ids, d.names,
       not exists (select from down b where b.ids[1:cardinality(d.ids)] = d.ids and b.queue_id <> d.queue_id),
       w.waiting, w.since, a.assigned, a.logged_in, a.available, a.breakthrough
from down d
cross join lateral (
    select coalesce(sum(c.waiting), 0)::int as waiting, min(c.since) as since
    from down b cross join lateral (
        select count(*) as waiting, min(c.since) as since from chats c
        where c.tenant_id = $1 and c.queue_id = b.queue_id and c.status in ('queued', 'resumed', 'transferred') offset 0
    ) c
    where b.ids[1:cardinality(d.ids)] = d.ids
) w
cross join lateral (
    select count(*)::int as assigned,
           (count(*) filter (where s.status <> 'offline'))::int as logged_in,
           (count(*) filter (where one.ready))::int as available,
           (count(*) filter (where s.status not in ('offline', 'available')
               and s.load < coalesce(g.max_chats, (t.settings ->> 'chats_per_agent')::int, 3)))::int as breakthrough
    from (
        select p.agent_id, bool_or(p.ready) as ready from agent_queues p
        join down b on b.queue_id = p.queue_id
        where p.tenant_id = $1 and b.ids[1:cardinality(d.ids)] = d.ids group by 1
    ) one
    join agents g on g.tenant_id = $1 and g.agent_id = one.agent_id and g.disabled_at is null
    join tenants t on t.tenant_id = $1
    left join agent_statuses s on s.tenant_id = $1 and s.agent_id = one.agent_id
) a
where {_WITHIN}
order by d.place limit $3 offset $4
"""


async def list_live(
    conn: Connection, tenant_id: int, limit: int, offset: int, below: int | None = None
) -> list[LiveQueue]:
    """The tenant's queues in the order of the menu; `below` names the one with which to begin."""
    queues = []
    for row in await conn.fetch(_COUNTS, tenant_id, below, limit, offset):
        queue = await find_queue(conn, tenant_id, row[0])
        if queue is not None:
            queues.append(LiveQueue(queue, tuple(row[1]), tuple(row[2]), row[3], Counts(*tuple(row)[4:])))
    return queues


async def count_live(conn: Connection, tenant_id: int, below: int | None = None) -> int:
    """How many queues there are."""
    count: int = await conn.fetchval(f"{_TREE} select count(*) from down d where {_WITHIN}", tenant_id, below)
    return count
