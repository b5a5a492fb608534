"""Passwords, failed tries, browsers that are known, and sign-ins that wait for their second half."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from smsdesk.domain.sign_in import Failures
from smsdesk.store.db import Connection
from smsdesk.store.profiles import lock_factor

Kind = Literal["oidc", "totp", "password"]


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in, and with what."""

    agent_id: int
    email: str
    password_hash: str | None
    has_second_factor: bool


_ACCOUNT = """
select a.agent_id, a.email, a.password_hash, p.totp_confirmed_at is not null
from agents a left join desk_profiles p on p.tenant_id = $1 and p.agent_id = a.agent_id
where a.tenant_id = $1 and a.disabled_at is null
"""


async def find_account(conn: Connection, tenant_id: int, email: str) -> Account | None:
    """The agent of this address who may work."""
    row = await conn.fetchrow(f"{_ACCOUNT} and lower(a.email) = lower($2)", tenant_id, email)
    return Account(*row) if row else None


async def find_account_of(conn: Connection, tenant_id: int, agent_id: int) -> Account | None:
    """The agent of this id who may work."""
    row = await conn.fetchrow(f"{_ACCOUNT} and a.agent_id = $2", tenant_id, agent_id)
    return Account(*row) if row else None


async def lock_account(conn: Connection, tenant_id: int, agent_id: int) -> Account | None:
    """The same as he stands now. Until the transaction ends nobody gives him another password, takes him out or turns
    his second factor on: whoever does so ends the sessions that were opened before."""
    await conn.execute(
        "select from agents where tenant_id = $1 and agent_id = $2 for no key update", tenant_id, agent_id
    )
    await lock_factor(conn, tenant_id, agent_id)
    return await find_account_of(conn, tenant_id, agent_id)


async def set_password(conn: Connection, tenant_id: int, agent_id: int, hashed: str) -> None:
    """Gives a person this password's hash."""
    await conn.execute(
        "update agents set password_hash = $3 where tenant_id = $1 and agent_id = $2", tenant_id, agent_id, hashed
    )


async def lock_failures(conn: Connection, tenant_id: int, tried: Sequence[str], now: datetime) -> list[Failures]:
    """What has failed of these, a row for each, kept from others until the transaction ends: of many tries at one
    moment each is counted. Rows are locked in one order, so that nobody waits crosswise."""
    await conn.execute(
        """
        insert into sign_in_failures (tenant_id, tried, failures, since)
        select $1, tried, 0, $3 from unnest($2::text[]) tried order by tried
        on conflict do nothing
        """,
        tenant_id, sorted(tried), now,
    )  # fmt: skip
    rows = await conn.fetch(
        """
        select tried, failures, since, blocked_until from sign_in_failures
        where tenant_id = $1 and tried = any($2) order by tried for update
        """,
        tenant_id, sorted(tried),
    )  # fmt: skip
    return [Failures(*row) for row in rows]


async def write_failures(conn: Connection, tenant_id: int, rows: Sequence[Failures]) -> None:
    """Writes what has failed; the rows are locked."""
    for row in rows:
        await conn.execute(
            """
            update sign_in_failures set failures = $3, since = $4, blocked_until = $5
            where tenant_id = $1 and tried = $2
            """,
            tenant_id, row.tried, row.failures, row.since, row.blocked_until,
        )  # fmt: skip


async def clear_failures(conn: Connection, tenant_id: int, tried: Sequence[str]) -> None:
    """Forgets what has failed."""
    await conn.execute("delete from sign_in_failures where tenant_id = $1 and tried = any($2)", tenant_id, list(tried))


async def find_browser(conn: Connection, tenant_id: int, browser_sha256: bytes, email: str, now: datetime) -> bool:
    """Whether the person of this address has signed in with this browser before."""
    found = await conn.fetchval(
        """
        select 1 from known_browsers b join agents a on a.tenant_id = $1 and a.agent_id = b.agent_id
        where b.tenant_id = $1 and b.browser_sha256 = $2 and b.expires_at > $4 and lower(a.email) = lower($3)
        """,
        tenant_id, browser_sha256, email, now,
    )  # fmt: skip
    return found is not None


async def add_browser(
    conn: Connection, tenant_id: int, agent_id: int, browser_sha256: bytes, expires_at: datetime
) -> None:
    """Notes that this person has signed in with this browser."""
    await conn.execute(
        "insert into known_browsers (tenant_id, browser_sha256, agent_id, expires_at) values ($1, $2, $3, $4)",
        tenant_id, browser_sha256, agent_id, expires_at,
    )  # fmt: skip


async def drop_browsers(conn: Connection, tenant_id: int, agent_id: int) -> None:
    """Forgets all browsers of a person."""
    await conn.execute("delete from known_browsers where tenant_id = $1 and agent_id = $2", tenant_id, agent_id)


@dataclass(frozen=True, slots=True)
class Step:
    """The first half of a sign-in, or a link for a new password, by the hash of its secret."""

    step_sha256: bytes
    kind: Kind
    expires_at: datetime
    agent_id: int | None = None
    nonce: str | None = None
    verifier: str | None = None
    next_path: str = ""


async def add_step(conn: Connection, tenant_id: int, step: Step) -> None:
    """Keeps a step until its second half comes."""
    await conn.execute(
        """
        insert into sign_in_steps (tenant_id, step_sha256, kind, expires_at, agent_id, nonce, verifier, next_path)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        tenant_id, step.step_sha256, step.kind, step.expires_at, step.agent_id, step.nonce, step.verifier,
        step.next_path,
    )  # fmt: skip


async def find_step(conn: Connection, tenant_id: int, kind: Kind, step_sha256: bytes, now: datetime) -> Step | None:
    """A step that is waited for, kept from others until the transaction ends."""
    row = await conn.fetchrow(
        """
        select step_sha256, kind, expires_at, agent_id, nonce, verifier, next_path from sign_in_steps
        where tenant_id = $1 and step_sha256 = $2 and kind = $3 and expires_at > $4 for update
        """,
        tenant_id, step_sha256, kind, now,
    )  # fmt: skip
    return Step(*row) if row else None


async def take_step(conn: Connection, tenant_id: int, kind: Kind, step_sha256: bytes, now: datetime) -> Step | None:
    """Takes a step away; None where it was taken before, or is over."""
    step = await find_step(conn, tenant_id, kind, step_sha256, now)
    if step is not None:
        await conn.execute(
            "delete from sign_in_steps where tenant_id = $1 and step_sha256 = $2", tenant_id, step_sha256
        )
    return step


async def drop_steps_of(conn: Connection, tenant_id: int, agent_id: int) -> None:
    """Makes links and half sign-ins of a person worthless."""
    await conn.execute("delete from sign_in_steps where tenant_id = $1 and agent_id = $2", tenant_id, agent_id)


async def sweep(conn: Connection, tenant_id: int, now: datetime, failed_before: datetime) -> int:
    """Takes away what is over: sessions, steps, browsers, and failures older than that; how many rows."""
    swept = 0
    for table in ("sessions", "sign_in_steps", "known_browsers"):
        over = "where tenant_id = $1 and expires_at <= $2 and expires_at > '2000-01-01'"
        swept += len(await conn.fetch(f"delete from {table} {over} returning 1", tenant_id, now))
    old = await conn.fetch(
        """
        delete from sign_in_failures
        where tenant_id = $1 and since <= $2 and since > '2000-01-01' and coalesce(blocked_until, since) <= $2
        returning 1
        """,
        tenant_id, failed_before,
    )  # fmt: skip
    return swept + len(old)
