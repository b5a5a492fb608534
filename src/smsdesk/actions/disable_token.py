"""Switches an API token off, or on again."""

from datetime import datetime

from smsdesk.domain.audit import COMMAND, Author, Deed
from smsdesk.steps.authority import answer_for
from smsdesk.store.credentials import set_disabled
from smsdesk.store.db import Database
from smsdesk.store.tenants import mark_changed, require_tenant_id


async def disable_token(
    database: Database,
    subdomain: str,
    name: str,
    now: datetime,
    *,
    enable: bool = False,
    author: Author = COMMAND,
) -> None:
    """Refuses every request with this token from the commit on, or, with `enable`, takes them again. Raises Problem
    where there is no such token, or a person does it who may not administer."""
    async with database.transaction() as conn:
        tenant_id = await require_tenant_id(conn, subdomain)
        deed = Deed(author, "enable token" if enable else "disable token", name)
        await answer_for(conn, tenant_id, deed, "administer", now)
        await set_disabled(conn, tenant_id, name, None if enable else now)
        await mark_changed(conn, tenant_id, now)
