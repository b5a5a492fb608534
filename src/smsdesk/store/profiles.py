"""How people have the desk, and their second factors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a person wants the desk; None is as his browser has it."""

    lang: str | None
    time_zone: str | None
    theme: str | None
    sound: bool


@dataclass(frozen=True, slots=True)
class Factor:
    """A person's second factor. It counts once it is confirmed."""

    secret: str | None
    confirmed_at: datetime | None
    step: int
    """The latest step of time whose code was used."""


async def save_preferences(conn: Connection, tenant_id: int, agent_id: int, wanted: Preferences) -> None:
    """Keeps what a person wants."""
    await conn.execute(
        """
        insert into desk_profiles (tenant_id, agent_id, lang, time_zone, theme, sound) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id, agent_id) do update set lang = $3, time_zone = $4, theme = $5, sound = $6
        """,
        tenant_id, agent_id, wanted.lang, wanted.time_zone, wanted.theme, wanted.sound,
    )  # fmt: skip


async def lock_factor(conn: Connection, tenant_id: int, agent_id: int) -> Factor:
    """A person's second factor, kept from others until the transaction ends: no code is used twice at one moment."""
    await conn.execute(
        "insert into desk_profiles (tenant_id, agent_id) values ($1, $2) on conflict do nothing", tenant_id, agent_id
    )
    row = await conn.fetchrow(
        """
        select totp_secret, totp_confirmed_at, totp_step from desk_profiles
        where tenant_id = $1 and agent_id = $2 for update
        """,
        tenant_id, agent_id,
    )  # fmt: skip
    assert row is not None
    return Factor(*row)


async def save_factor(conn: Connection, tenant_id: int, agent_id: int, factor: Factor) -> None:
    """Keeps a second factor as it is now; the person's row is locked."""
    await conn.execute(
        """
        update desk_profiles set totp_secret = $3, totp_confirmed_at = $4, totp_step = $5
        where tenant_id = $1 and agent_id = $2
        """,
        tenant_id, agent_id, factor.secret, factor.confirmed_at, factor.step,
    )  # fmt: skip


async def replace_codes(conn: Connection, tenant_id: int, agent_id: int, hashes: Sequence[bytes]) -> None:
    """Puts these recovery codes in the place of those that there were."""
    await conn.execute("delete from recovery_codes where tenant_id = $1 and agent_id = $2", tenant_id, agent_id)
    await conn.execute(
        """
        insert into recovery_codes (tenant_id, agent_id, code_sha256)
        select $1, $2, code from unnest($3::bytea[]) code
        """,
        tenant_id, agent_id, list(hashes),
    )  # fmt: skip


async def use_code(conn: Connection, tenant_id: int, agent_id: int, code_sha256: bytes, now: datetime) -> bool:
    """Uses a recovery code; False where there is none, or it was used."""
    used = await conn.fetchval(
        """
        update recovery_codes set used_at = $4
        where tenant_id = $1 and agent_id = $2 and code_sha256 = $3 and used_at is null returning 1
        """,
        tenant_id, agent_id, code_sha256, now,
    )  # fmt: skip
    return used is not None


async def codes_left(conn: Connection, tenant_id: int, agent_id: int) -> int:
    """How many recovery codes a person has not used."""
    left: int = await conn.fetchval(
        "select count(*) from recovery_codes where tenant_id = $1 and agent_id = $2 and used_at is null",
        tenant_id, agent_id,
    )  # fmt: skip
    return left
