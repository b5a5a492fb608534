"""What a dead process was sending may have left or not: it is `doubtful`, and never sent again by itself."""

from collections import defaultdict
from datetime import datetime, timedelta

from smsdesk.store import nodes, routes, texts
from smsdesk.store.db import Database

NODE_LIFE = timedelta(seconds=10)
"""How long a node counts as alive after it renewed its row."""
_ROW_KEPT = timedelta(hours=1)


async def bury_dead_nodes(db: Database, now: datetime) -> int:
    """Makes `doubtful` whatever nodes that no longer live were sending: how many texts."""
    async with db.connection() as conn:
        sending = await texts.find_sending(conn)
        alive = await nodes.find_alive(conn, now)
        dead: defaultdict[int, list[int]] = defaultdict(list)
        for tenant_id, node_id in sending:
            if node_id not in alive:
                dead[tenant_id].append(node_id)
        buried = 0
        for tenant_id, node_ids in dead.items():
            buried += await texts.bury(conn, tenant_id, node_ids, now)
        await nodes.remove_dead(conn, now - _ROW_KEPT)
        await routes.forget_gone(conn)
    return buried
