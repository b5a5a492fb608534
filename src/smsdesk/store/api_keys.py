"""Idempotency-Keys of the API's writes: each is written in the transaction of what its request did."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What the request of a key was answered."""

    status: int
    content_type: str
    body: bytes


async def claim_key(conn: Connection, tenant_id: int, key: str, request_sha256: bytes, now: datetime) -> bool:
    """Writes the key down; False where another request has it. One that is just being done is waited for."""
    new = await conn.fetchval(
        """
        insert into request_keys (tenant_id, key, request_sha256, created_at) values ($1, $2, $3, $4)
        on conflict do nothing returning true
        """,
        tenant_id, key, request_sha256, now,
    )  # fmt: skip
    return new is not None


async def store_answer(conn: Connection, tenant_id: int, key: str, answer: KeptAnswer) -> None:
    """Keeps the answer, in the transaction that claimed the key."""
    await conn.execute(
        "update request_keys set status = $3, content_type = $4, answer = $5 where tenant_id = $1 and key = $2",
        tenant_id, key, answer.status, answer.content_type, answer.body,
    )  # fmt: skip


async def find_answer(conn: Connection, tenant_id: int, key: str) -> tuple[bytes, KeptAnswer] | None:
    """The SHA-256 of the request that used this key, and its answer; None where none did."""
    row = await conn.fetchrow(
        "select request_sha256, status, content_type, answer from request_keys where tenant_id = $1 and key = $2",
        tenant_id, key,
    )  # fmt: skip
    return (row[0], KeptAnswer(*row[1:])) if row else None


KEPT = timedelta(days=30)
"""How long a write is remembered by its key. Who asks again later than that is not repeating himself."""


async def forget_keys(conn: Connection, tenant_id: int, before: datetime) -> None:
    """Drops the keys of before then."""
    await conn.execute(
        "delete from request_keys where tenant_id = $1 and created_at > '2000-01-01' and created_at < $2",
        tenant_id, before,
    )  # fmt: skip
