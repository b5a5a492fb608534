"""Gives a tenant another API token."""

from collections.abc import Callable
from datetime import datetime

from smsdesk.domain.audit import COMMAND, Author, Deed
from smsdesk.domain.token import SECRET_BYTES, digest, token_of
from smsdesk.errors import Problem
from smsdesk.steps.authority import answer_for
from smsdesk.store.credentials import insert_credential
from smsdesk.store.db import Database
from smsdesk.store.tenants import mark_changed, require_tenant_id

LONGEST_NAME = 60


async def create_token(
    database: Database,
    subdomain: str,
    name: str,
    now: datetime,
    chance: Callable[[int], bytes],
    author: Author = COMMAND,
) -> str:
    """Makes a named token and gives it, this once: only its SHA-256 is kept.

    Raises Problem where the tenant is unknown, or the name is taken, blank, or longer than LONGEST_NAME; `forbidden`
    for a person who may not administer.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Problem("parameter_invalid", f"a token's name has 1 to {LONGEST_NAME} printable characters")
    token = token_of(chance(SECRET_BYTES))
    async with database.transaction() as conn:
        tenant_id = await require_tenant_id(conn, subdomain)
        await answer_for(conn, tenant_id, Deed(author, "create token", name), "administer", now)
        await insert_credential(conn, tenant_id, name, digest(token), now)
        await mark_changed(conn, tenant_id, now)
    return token
