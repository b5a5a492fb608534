"""Puts a new token in the place of one that may have leaked."""

from collections.abc import Callable
from datetime import datetime

from smsdesk.domain.audit import COMMAND, Author, Deed
from smsdesk.domain.token import SECRET_BYTES, digest, token_of
from smsdesk.steps.authority import answer_for
from smsdesk.store.credentials import replace_token
from smsdesk.store.db import Database
from smsdesk.store.tenants import mark_changed, require_tenant_id


async def regenerate_token(
    database: Database,
    subdomain: str,
    name: str,
    now: datetime,
    chance: Callable[[int], bytes],
    author: Author = COMMAND,
) -> str:
    """Gives the credential's new token, this once; the old one is dead from the commit on. Raises Problem where there
    is no such token, or a person does it who may not administer."""
    token = token_of(chance(SECRET_BYTES))
    async with database.transaction() as conn:
        tenant_id = await require_tenant_id(conn, subdomain)
        await answer_for(conn, tenant_id, Deed(author, "regenerate token", name), "administer", now)
        await replace_token(conn, tenant_id, name, digest(token), now)
        await mark_changed(conn, tenant_id, now)
    return token
