"""One-time codes that consumers are to send back."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Verification:
    """A code that was sent."""

    code_sha256: bytes
    sent_at: datetime
    expires_at: datetime
    tries: int
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code on its way: the text that carries it, and what is kept of it."""

    chat_id: int
    message_id: int
    code_sha256: bytes
    expires_at: datetime


async def put_verification(conn: Connection, tenant_id: int, code: NewCode, now: datetime) -> None:
    """Writes down a new code of a chat; the one before it is no good any more."""
    await conn.execute(
        """
        insert into verifications (tenant_id, chat_id, message_id, code_sha256, sent_at, expires_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id, chat_id) do update
            set message_id = excluded.message_id, code_sha256 = excluded.code_sha256, sent_at = excluded.sent_at,
                expires_at = excluded.expires_at, tries = 0, verified_at = null
        """,
        tenant_id, code.chat_id, code.message_id, code.code_sha256, now, code.expires_at,
    )  # fmt: skip


async def find_verification(conn: Connection, tenant_id: int, chat_id: int) -> Verification | None:
    """The chat's code, locked."""
    row = await conn.fetchrow(
        """
        select code_sha256, sent_at, expires_at, tries, verified_at from verifications
        where tenant_id = $1 and chat_id = $2 for no key update
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return None if row is None else Verification(*row)


async def count_try(conn: Connection, tenant_id: int, chat_id: int) -> None:
    """A wrong code came."""
    await conn.execute(
        "update verifications set tries = tries + 1 where tenant_id = $1 and chat_id = $2", tenant_id, chat_id
    )


async def set_verified(conn: Connection, tenant_id: int, chat_id: int, now: datetime) -> None:
    """The right code came: the chat's consumer is who he is taken for."""
    await conn.execute(
        "update verifications set verified_at = $3 where tenant_id = $1 and chat_id = $2", tenant_id, chat_id, now
    )
    await conn.execute("update chats set verified = true where tenant_id = $1 and chat_id = $2", tenant_id, chat_id)
