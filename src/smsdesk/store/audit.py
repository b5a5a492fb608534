"""The audit: what was done, by whom, in the transaction that did it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from smsdesk.domain.audit import Author, Deed, PastDeed
from smsdesk.store.db import Connection


async def add_deed(conn: Connection, tenant_id: int, audit_id: int, deed: Deed, now: datetime) -> None:
    """Writes a deed down; it is never changed."""
    author, details = deed.author, dict(deed.details)
    await conn.execute(
        """
        insert into audit (tenant_id, at, audit_id, source, agent_id, credential_id, action, subject, details)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tenant_id, now, audit_id, author.source, author.agent_id, author.credential_id, deed.action, deed.subject,
        details,
    )  # fmt: skip


async def list_deeds(
    conn: Connection, tenant_id: int, wanted: Mapping[str, Any], before: tuple[datetime, int] | None, limit: int
) -> list[PastDeed]:
    """Deeds, the latest first, those before a place in that order. `wanted` may name `agent_id`, `source`,
    `action` (its beginning), `subject` (a part of it), `since` and `until`."""
    at, audit_id = before or (None, None)
    rows = await conn.fetch(
        """
        select d.audit_id, d.at, d.source, d.agent_id, d.credential_id, d.action, d.subject, d.details,
               coalesce(nullif(trim(a.first_name || ' ' || a.last_name), ''), a.email, c.name, '') as name
        from audit d
        left join agents a on a.tenant_id = $1 and a.agent_id = d.agent_id
        left join credentials c on c.tenant_id = $1 and c.credential_id = d.credential_id
        where d.tenant_id = $1 and ($2::timestamptz is null or (d.at, d.audit_id) < ($2, $3::bigint))
          and ($4::bigint is null or d.agent_id = $4)
          and ($5::text is null or starts_with(d.action, $5))
          and ($6::text is null or position(lower($6) in lower(d.subject)) > 0)
          and ($7::text is null or d.source = $7)
          and ($8::timestamptz is null or d.at >= $8) and ($9::timestamptz is null or d.at < $9)
        order by d.at desc, d.audit_id desc limit $10
        """,
        tenant_id, at, audit_id, wanted.get("agent_id"), wanted.get("action"), wanted.get("subject"),
        wanted.get("source"), wanted.get("since"), wanted.get("until"), limit,
    )  # fmt: skip
    return [
        PastDeed(
            row["audit_id"], row["at"],
            Deed(Author(row["source"], row["agent_id"], row["credential_id"]), row["action"], row["subject"],
                 row["details"]),
            row["name"],
        )
        for row in rows
    ]  # fmt: skip
