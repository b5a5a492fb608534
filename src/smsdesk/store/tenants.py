"""What a running server keeps of a tenant, and how it learns that it changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from smsdesk.domain.tenant import Agent, Credential, Number, Tenant, TenantSettings
from smsdesk.errors import Problem
from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell

# One statement, so that the picture is of one moment even while a set-up is being applied.
_TENANT = """
select subdomain, settings,
    array(select row(number, carrier_id, queue_id, agent_id, brand) from numbers where tenant_id = $1) as numbers,
    array(select row(agent_id, email, agent_number, first_name, last_name, avatar_url, disabled_at is not null, role,
                     max_chats, skills)
          from agents where tenant_id = $1 order by agent_id) as agents,
    array(select row(credential_id, name, token_sha256, disabled_at is not null)
          from credentials where tenant_id = $1) as credentials
from tenants where tenant_id = $1
"""


async def read_tenant(conn: Connection, tenant_id: int) -> Tenant:
    """A tenant with all that a request is judged by, as of one moment. Raises Problem `not_found`.

    Agents and credentials that are disabled are in it, and say so.
    """
    row = await conn.fetchrow(_TENANT, tenant_id)
    if row is None:
        raise Problem("not_found", f"there is no tenant {tenant_id}")
    agents = [Agent(*values) for values in _values(row["agents"])]
    credentials = [Credential(*values) for values in _values(row["credentials"])]
    return Tenant(
        tenant_id=tenant_id,
        subdomain=row["subdomain"],
        settings=msgspec.convert(row["settings"], TenantSettings),
        numbers={values[0]: Number(*values) for values in _values(row["numbers"])},
        agents={agent.agent_id: agent for agent in agents},
        agents_by_email={agent.email.lower(): agent for agent in agents},
        credentials={credential.token_sha256: credential for credential in credentials},
    )


def _values(rows: Sequence[asyncpg.Record]) -> list[tuple[Any, ...]]:
    return [tuple(tuple(each) if isinstance(each, list) else each for each in row) for row in rows]


async def tenant_ids(conn: Connection) -> list[int]:
    """Every tenant, across all of them."""
    return [row[0] for row in await conn.fetch("select tenant_id from tenants order by tenant_id")]


async def versions(conn: Connection) -> dict[int, datetime]:
    """`changed_at` of every tenant. It moves forward with each change, so another value is another set-up."""
    return {row[0]: row[1] for row in await conn.fetch("select tenant_id, changed_at from tenants")}


async def find_tenant_id(conn: Connection, subdomain: str) -> int | None:
    """The tenant of a subdomain."""
    found: int | None = await conn.fetchval("select tenant_id from subdomains where subdomain = $1", subdomain)
    return found


async def require_tenant_id(conn: Connection, subdomain: str) -> int:
    """The tenant of a subdomain. Raises Problem `not_found` that lists the ones there are."""
    found = await find_tenant_id(conn, subdomain)
    if found is None:
        known = [row[0] for row in await conn.fetch("select subdomain from subdomains order by 1 limit 21")]
        listed = ", ".join(known[:20]) + (" ..." if len(known) > 20 else "")
        remedy = f"known: {listed}" if known else "there is none yet: make one with `smsdesk apply FILE`"
        raise Problem("not_found", f'there is no tenant "{subdomain}"; {remedy}')
    return found


async def mark_changed(conn: Connection, tenant_id: int, now: datetime) -> None:
    """Moves the tenant's `changed_at` forward, and tells the servers that listen on `setup`. Locks the tenant's row."""
    await conn.execute(
        "update tenants set changed_at = greatest($2, changed_at + interval '1 microsecond') where tenant_id = $1",
        tenant_id,
        now,
    )
    await conn.execute("select pg_notify('setup', $1)", str(tenant_id))
    await tell(conn, tenant_id, Hint("setup"))
