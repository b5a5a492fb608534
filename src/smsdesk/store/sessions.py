"""Who is signed in at the desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smsdesk.domain.sign_in import Method
from smsdesk.domain.tenant import Agent
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a person is signed in, and how he has the desk. The agent is as he stands now."""

    session_sha256: bytes
    agent: Agent
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    lang: str | None
    time_zone: str | None
    theme: str | None
    sound: bool
    method: str = "password"
    """How it began: `password` or `oidc`."""
    has_second_factor: bool = False


@dataclass(frozen=True, slots=True)
class NewSession:
    """A sign-in that has succeeded."""

    session_sha256: bytes
    agent_id: int
    expires_at: datetime
    address: str = ""
    browser: str = ""
    method: Method = "password"


async def find_session(conn: Connection, tenant_id: int, session_sha256: bytes, now: datetime) -> Session | None:
    """The session of this secret's hash, while it is good and its agent is not disabled."""
    row = await conn.fetchrow(
        """
        select s.session_sha256, s.created_at, s.seen_at, s.expires_at, p.lang, p.time_zone, p.theme,
               coalesce(p.sound, true) as sound,
               s.method, p.totp_confirmed_at is not null as has_second_factor,
               row(a.agent_id, a.email, a.agent_number, a.first_name, a.last_name, a.avatar_url, false, a.role,
                   a.max_chats, a.skills) as agent
        from sessions s
        join agents a on a.tenant_id = $1 and a.agent_id = s.agent_id and a.disabled_at is null
        left join desk_profiles p on p.tenant_id = $1 and p.agent_id = s.agent_id
        where s.tenant_id = $1 and s.session_sha256 = $2 and s.expires_at > $3
        """,
        tenant_id, session_sha256, now,
    )  # fmt: skip
    if row is None:
        return None
    who: list[Any] = list(row["agent"])
    agent = Agent(*[*who[:-1], tuple(who[-1])])
    return Session(
        row["session_sha256"], agent, row["created_at"], row["seen_at"], row["expires_at"],
        row["lang"], row["time_zone"], row["theme"], row["sound"],
        row["method"], row["has_second_factor"],
    )  # fmt: skip


async def add_session(conn: Connection, tenant_id: int, new: NewSession, now: datetime) -> None:
    """Begins a session."""
    await conn.execute(
        """
        insert into sessions (tenant_id, session_sha256, agent_id, created_at, seen_at, expires_at, address, browser,
                              method)
        values ($1, $2, $3, $4, $4, $5, $6, $7, $8)
        """,
        tenant_id, new.session_sha256, new.agent_id, now, new.expires_at, new.address, new.browser,
        new.method,
    )  # fmt: skip


async def touch_session(
    conn: Connection, tenant_id: int, session_sha256: bytes, now: datetime, expires_at: datetime
) -> None:
    """Notes that the session is in use, and until when it is good now."""
    await conn.execute(
        "update sessions set seen_at = $3, expires_at = $4 where tenant_id = $1 and session_sha256 = $2",
        tenant_id, session_sha256, now, expires_at,
    )  # fmt: skip


async def end_session(conn: Connection, tenant_id: int, session_sha256: bytes) -> None:
    """Ends a session; harmless where it has ended."""
    await conn.execute("delete from sessions where tenant_id = $1 and session_sha256 = $2", tenant_id, session_sha256)


async def end_sessions_of(conn: Connection, tenant_id: int, agent_id: int, but: bytes | None = None) -> int:
    """Ends a person's sessions, but the one of this hash; how many."""
    ended = await conn.fetch(
        """
        delete from sessions where tenant_id = $1 and agent_id = $2 and session_sha256 is distinct from $3
        returning 1
        """,
        tenant_id, agent_id, but,
    )  # fmt: skip
    return len(ended)


async def end_session_of(conn: Connection, tenant_id: int, agent_id: int, session_sha256: bytes) -> bool:
    """Ends one session of this person; whether he had it."""
    ended = await conn.fetchval(
        "delete from sessions where tenant_id = $1 and session_sha256 = $2 and agent_id = $3 returning 1",
        tenant_id, session_sha256, agent_id,
    )  # fmt: skip
    return ended is not None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner sees it in his list."""

    session_sha256: bytes
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str


async def list_sessions(conn: Connection, tenant_id: int, agent_id: int, now: datetime) -> list[OpenSession]:
    """The sessions of a person that are good, the one used last first; a hundred at most."""
    rows = await conn.fetch(
        """
        select session_sha256, created_at, seen_at, address, browser from sessions
        where tenant_id = $1 and agent_id = $2 and agent_id > 0 and expires_at > $3
        order by seen_at desc, session_sha256 limit 100
        """,
        tenant_id, agent_id, now,
    )  # fmt: skip
    return [OpenSession(*row) for row in rows]
