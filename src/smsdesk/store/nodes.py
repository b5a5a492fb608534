"""Processes that send: each renews its row, and one whose row is out of date counts as dead."""

from datetime import datetime

from smsdesk.store.db import Connection


async def renew(conn: Connection, node_id: int, name: str, now: datetime, alive_until: datetime) -> None:
    """Says that the node lives until then, whether or not it was buried in between."""
    await conn.execute(
        """
        insert into nodes (node_id, name, started_at, alive_until) values ($1, $2, $3, $4)
        on conflict (node_id) do update set alive_until = excluded.alive_until
        """,
        node_id, name, now, alive_until,
    )  # fmt: skip


async def new_id(conn: Connection) -> int:
    """A node id that no process ever had."""
    node_id: int = await conn.fetchval("select nextval('id_blocks')")
    return node_id


async def remove(conn: Connection, node_id: int) -> None:
    """Takes a node off the list, after it has nothing more to send."""
    await conn.execute("delete from nodes where node_id = $1", node_id)


async def find_alive(conn: Connection, now: datetime) -> set[int]:
    """The nodes that live at this moment."""
    return {row["node_id"] for row in await conn.fetch("select node_id from nodes where alive_until > $1", now)}


async def remove_dead(conn: Connection, before: datetime) -> None:
    """Forgets the nodes that died before then."""
    await conn.execute("delete from nodes where alive_until < $1", before)
