"""A tenant with a line, and texts in its queue: what the tests of delivery start from."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from smsdesk.store.db import Connection, Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS = "+16285550199"
TENANT, LINE, NODE = 1, 1, 7


async def make_tenant(conn: Connection, queue: bool = True) -> None:
    """Tenant 1 `acme` with line 1, number OURS and queue 1."""
    await conn.execute(
        """
        insert into tenants (tenant_id, subdomain, settings, created_at, changed_at)
        values (1, 'acme', '{"company_name": "Acme"}', now(), now())
        """
    )
    await conn.execute("insert into subdomains values ('acme', 1)")
    await conn.execute("insert into carriers (tenant_id, carrier_id, name, type) values (1, 1, 'lab', 'lab')")
    await conn.execute("insert into queues (tenant_id, queue_id, name, position) values (1, 1, 'Support', 1)")
    await conn.execute("select setval(pg_get_serial_sequence('queues', 'queue_id'), 1)")
    await conn.execute(
        "insert into numbers (tenant_id, number, carrier_id, queue_id) values (1, $1, 1, $2)",
        OURS,
        1 if queue else None,
    )


async def queue_texts(
    conn: Connection, ids: Sequence[int], *, destination: str | None = None, parts: int = 1,
    due_at: datetime = NOW, valid_until: datetime = NOW + timedelta(days=1),
) -> None:  # fmt: skip
    """A chat, a message and a queued text for each id; to a number of its own unless one is given."""
    await conn.execute(
        """
        insert into end_users (tenant_id, end_user_id, number, created_at)
        select 1, id, coalesce($2, '+1415' || id), $3 from unnest($1::bigint[]) id on conflict do nothing
        """,
        ids, destination, NOW,
    )  # fmt: skip
    await conn.execute(
        """
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at)
        select 1, id, e.end_user_id, $3, 'outbound', 'finished', $4, $4
        from unnest($1::bigint[]) id
        join end_users e on e.tenant_id = 1 and e.number = coalesce($2, '+1415' || id)
        """,
        ids, destination, OURS, NOW,
    )  # fmt: skip
    await conn.execute(
        """
        insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
        select 1, id, id, 'api', 'hello ' || id, 'gsm7', $2, $3 from unnest($1::bigint[]) id
        """,
        ids, parts, NOW,
    )  # fmt: skip
    await conn.execute(
        """
        insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                           valid_until, state_at, queued_at, parts)
        select 1, id, id, 1, 'notice', $3, coalesce($2, '+1415' || id), 'queued', $4, $5, $6, $6, $7
        from unnest($1::bigint[]) id
        """,
        ids, destination, OURS, due_at, valid_until, NOW, parts,
    )  # fmt: skip


async def states(conn: Connection) -> dict[int, tuple[str, str | None]]:
    """State and reason of each message of ours, in flight or ended."""
    rows = await conn.fetch(
        """
        select m.message_id, coalesce(m.state, t.state) as state, m.reason, m.state is null or t.state is null as whole
        from messages m left join texts t using (tenant_id, message_id) where m.sender <> 'end_user'
        """
    )
    assert all(row["whole"] for row in rows), "a text that has ended is still in flight"
    return {row["message_id"]: (row["state"], row["reason"]) for row in rows}


async def opened(dsn: str) -> Database:
    """The database, open."""
    database = Database(dsn)
    await database.open()
    return database
