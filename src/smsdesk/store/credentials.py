"""The named API tokens of a tenant. Only their SHA-256 is here."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from smsdesk.errors import Problem
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """What may be shown of a credential."""

    name: str
    created_at: datetime
    regenerated_at: datetime | None
    disabled_at: datetime | None


async def insert_credential(conn: Connection, tenant_id: int, name: str, token_sha256: bytes, now: datetime) -> None:
    """Stores a new credential. Raises Problem where the name is taken."""
    try:
        await conn.execute(
            "insert into credentials (tenant_id, name, token_sha256, created_at) values ($1, $2, $3, $4)",
            tenant_id,
            name,
            token_sha256,
            now,
        )
    except asyncpg.UniqueViolationError:
        remedy = "choose another name, or give it a new token with `smsdesk token regenerate`"
        raise Problem("parameter_invalid", f'there is a token "{name}" already; {remedy}') from None


async def list_credentials(conn: Connection, tenant_id: int) -> list[CredentialRow]:
    """The credentials of a tenant by name."""
    rows = await conn.fetch(
        "select name, created_at, regenerated_at, disabled_at from credentials where tenant_id = $1 order by name",
        tenant_id,
    )
    return [CredentialRow(*row) for row in rows]


async def replace_token(conn: Connection, tenant_id: int, name: str, token_sha256: bytes, now: datetime) -> None:
    """Puts another token in the place of a credential's. Raises Problem where there is no such credential."""
    done = await conn.execute(
        "update credentials set token_sha256 = $3, regenerated_at = $4 where tenant_id = $1 and name = $2",
        tenant_id,
        name,
        token_sha256,
        now,
    )
    await _require_one(conn, tenant_id, name, done)


async def set_disabled(conn: Connection, tenant_id: int, name: str, disabled_at: datetime | None) -> None:
    """Disables a credential from now on, or enables it. One that is disabled already keeps its time.

    Raises Problem where there is no such credential.
    """
    done = await conn.execute(
        "update credentials set disabled_at = case when $3::timestamptz is null then null"
        " else coalesce(disabled_at, $3) end where tenant_id = $1 and name = $2",
        tenant_id,
        name,
        disabled_at,
    )
    await _require_one(conn, tenant_id, name, done)


async def _require_one(conn: Connection, tenant_id: int, name: str, done: str) -> None:
    if done == "UPDATE 0":
        known = ", ".join(row.name for row in await list_credentials(conn, tenant_id))
        remedy = f"known: {known}" if known else "make one with `smsdesk token create`"
        raise Problem("not_found", f'there is no token "{name}"; {remedy}')
