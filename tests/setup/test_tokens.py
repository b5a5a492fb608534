"""API tokens: shown once, found by their hash, dead at once."""

from datetime import timedelta

import pytest

from smsdesk.actions.create_token import create_token
from smsdesk.actions.disable_token import disable_token
from smsdesk.actions.list_tokens import list_tokens
from smsdesk.actions.regenerate_token import regenerate_token
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.token import digest
from smsdesk.errors import Problem
from smsdesk.store.db import Database
from smsdesk.store.tenants import find_tenant_id, read_tenant
from tests.setup.kit import NOW, applied, chance


async def tenant(db: Database) -> Tenant:
    async with db.connection() as conn:
        tenant_id = await find_tenant_id(conn, "acme")
        assert tenant_id is not None
        return await read_tenant(conn, tenant_id)


async def test_a_token_is_found_by_its_hash_and_stored_nowhere(db: Database) -> None:
    await applied(db, "tenant: acme")
    token = await create_token(db, "acme", "billing", NOW, chance)
    assert token == "sd_" + bytes(range(32)).hex()
    credential = (await tenant(db)).credentials[digest(token)]
    assert (credential.name, credential.disabled) == ("billing", False)
    [row] = await list_tokens(db, "acme")
    assert (row.name, row.created_at, row.disabled_at) == ("billing", NOW, None)
    async with db.connection() as conn:
        stored = await conn.fetchval("select string_agg(c::text, '') from credentials c")
    assert token[3:] not in stored


async def test_disabled_and_enabled(db: Database) -> None:
    await applied(db, "tenant: acme")
    token = await create_token(db, "acme", "billing", NOW, chance)
    await disable_token(db, "acme", "billing", NOW)
    await disable_token(db, "acme", "billing", NOW + timedelta(days=1))
    assert (await tenant(db)).credentials[digest(token)].disabled
    assert [row.disabled_at for row in await list_tokens(db, "acme")] == [NOW]
    await disable_token(db, "acme", "billing", NOW, enable=True)
    assert not (await tenant(db)).credentials[digest(token)].disabled


async def test_a_regenerated_token_kills_the_old_one(db: Database) -> None:
    await applied(db, "tenant: acme")
    old = await create_token(db, "acme", "billing", NOW, chance)
    new = await regenerate_token(db, "acme", "billing", NOW, lambda count: b"\xff" * count)
    assert set((await tenant(db)).credentials) == {digest(new)}
    assert old != new
    assert [row.regenerated_at for row in await list_tokens(db, "acme")] == [NOW]


async def test_what_is_not_there_is_said_with_what_is(db: Database) -> None:
    with pytest.raises(Problem, match=r'no tenant "acme"; there is none yet'):
        await list_tokens(db, "acme")
    await applied(db, "tenant: acme\n---\ntenant: beta")
    with pytest.raises(Problem, match=r'no tenant "acm"; known: acme, beta'):
        await create_token(db, "acm", "billing", NOW, chance)
    await create_token(db, "acme", "billing", NOW, chance)
    with pytest.raises(Problem, match=r'no token "biling"; known: billing'):
        await disable_token(db, "acme", "biling", NOW)
    with pytest.raises(Problem, match=r'a token "billing" already'):
        await create_token(db, "acme", "billing", NOW, lambda count: b"\xff" * count)
    with pytest.raises(Problem, match="printable"):
        await create_token(db, "acme", " \x00", NOW, chance)
