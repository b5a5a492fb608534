"""The accept statement: 1..N sends of one tenant, decided and written in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar

import asyncpg

from smsdesk.domain.send import Send
from smsdesk.store.db import Connection
from smsdesk.store.telling import tell_of_chats

T = TypeVar("T")
IDS_PER_SEND = 5
"""Chat, message, the consumer's participant, the agent's, the consumer: consecutive ids, in this order."""

# $2 now, $3 the chat closes by itself, $4 the text is not sent after; then an array for each property of a send;
# $19 a CRM knows the tickets.
ACCEPT = """
    select outcome, chat_id, message_id, end_user_id, identifier, out_contact_id, answer
    from accept_sends($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
"""

MET = frozenset({"end_users_by_number", "chats_open"})
"""The unique indexes at which two groups meet that are first with one consumer, or with a chat of his."""


@dataclass(frozen=True, slots=True)
class AcceptTimes:
    """The moment of a group, and the two ends that follow from it for what may leave at once."""

    now: datetime
    chat_expires: datetime
    text_valid_until: datetime


@dataclass(frozen=True, slots=True)
class AcceptRules:
    """What the tenant's set-up makes of a group."""

    append: bool
    """A send to a consumer in an open chat goes into it."""
    crm: bool = False
    """Tickets are looked up in a CRM."""


class WantedSend(NamedTuple):
    """A send with whose it is, and the key under which it must happen once."""

    send: Send
    credential_id: int | None
    key: str | None = None
    request_sha256: bytes | None = None
    due_at: datetime | None = None
    """When its text may leave; None is at once. Its time, and its chat's, are counted from then."""


class Decision(NamedTuple):
    """What became of one send: `accepted`, `appended`, `replayed`, `again`, or the reason of a refusal."""

    outcome: str
    chat_id: int | None
    message_id: int
    end_user_id: int | None
    identifier: str | None
    out_contact_id: str | None
    answer: bytes | None
    """The stored answer, where `replayed`."""


async def accept_sends(
    conn: Connection,
    tenant_id: int,
    times: AcceptTimes,
    rules: AcceptRules,
    first_id: int,
    wanted: Sequence[WantedSend],
) -> list[Decision]:
    """Decides and writes all of `wanted`, in their order; needs IDS_PER_SEND ids for each from `first_id` on.

    Raises one of TRY_AGAIN where another transaction was first with one of the consumers: nothing is written then.
    """
    sends = [one.send for one in wanted]
    arguments = (
        tenant_id,
        times.now,
        times.chat_expires,
        times.text_valid_until,
        rules.append,
        list(range(first_id, first_id + IDS_PER_SEND * len(wanted), IDS_PER_SEND)),
        [send.end_user_number for send in sends],
        [send.outbound_number for send in sends],
        [send.body for send in sends],
        [send.segments.encoding for send in sends],
        [len(send.segments.parts) for send in sends],
        _unless_empty([send.ticket_id for send in sends]),
        _unless_empty([send.agent.agent_id if send.agent else None for send in sends]),
        [one.credential_id for one in wanted],
        _unless_empty([one.key for one in wanted]),
        _unless_empty([one.request_sha256 for one in wanted]),
        [send.on_doubt for send in sends],
        _unless_empty([one.due_at for one in wanted]),
        rules.crm,
    )
    try:
        rows = await conn.fetch(ACCEPT, *arguments)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name in MET:
            raise asyncpg.SerializationError("another group was first with one of these consumers") from error
        raise
    decisions = [Decision._make(row) for row in rows]
    # Who has the chat is told; a notice of which nobody has the chat costs nothing here.
    told = [
        one.chat_id
        for one, send in zip(decisions, sends, strict=True)
        if one.outcome == "appended" or (one.outcome == "accepted" and send.agent is not None)
    ]
    await tell_of_chats(conn, tenant_id, told)
    return decisions


def _unless_empty(values: list[T | None]) -> list[T | None] | None:
    """None where all are None: an element of no array is null as well, and the driver looks at each of an array's."""
    return None if values.count(None) == len(values) else values


async def store_answers(conn: Connection, tenant_id: int, answers: Sequence[tuple[str, bytes]]) -> None:
    """Keeps the answers to keyed requests, in the transaction that accepted them."""
    await conn.execute(
        """
        update idempotency_keys k set answer = u.answer
        from unnest($2::text[], $3::bytea[]) u (key, answer)
        where k.tenant_id = $1 and k.key = u.key
        """,
        tenant_id,
        [key for key, _ in answers],
        [answer for _, answer in answers],
    )


async def find_answer(conn: Connection, tenant_id: int, key: str) -> tuple[bytes, bytes] | None:
    """The hash of the request that used this key, and the answer that it got."""
    row = await conn.fetchrow(
        "select request_sha256, answer from idempotency_keys where tenant_id = $1 and key = $2", tenant_id, key
    )
    return (row["request_sha256"], row["answer"]) if row else None
