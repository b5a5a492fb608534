"""Shortcuts: what the set-up has of them, and what the desk offers."""

from smsdesk.domain.setup import Fields, Key
from smsdesk.domain.shortcut import Shortcut
from smsdesk.store.db import Connection


async def list_shortcuts(conn: Connection, tenant_id: int) -> list[Shortcut]:
    """All of the tenant's, by category and name; those without a category first."""
    rows = await conn.fetch(
        "select name, category, body from shortcuts where tenant_id = $1 order by lower(category), lower(name)",
        tenant_id,
    )
    return [Shortcut(*row) for row in rows]


async def read_shortcuts(conn: Connection, tenant_id: int) -> dict[Key, Fields]:
    """All of the tenant's, in the words of the set-up file."""
    return {
        ("shortcut", each.name): {"category": each.category, "text": each.body}
        for each in await list_shortcuts(conn, tenant_id)
    }
