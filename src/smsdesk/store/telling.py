"""Hints to the desks that something is new: in the transaction that made it so, told when it commits.

A hint tells where to look, never what is there. Whoever listens reads the rows.
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from smsdesk.store.db import UNREACHABLE, Connection

CHANNEL = "desk"
What = Literal["chat", "message", "offer", "agent", "typing", "setup", "floor"]
MOST_AGENTS = 200
"""Named in one hint: a payload of NOTIFY has at most 8,000 octets."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What is new. `agent_ids` are those concerned beside whoever is in the chat by now, such as who had it before."""

    what: What
    chat_id: int | None = None
    agent_ids: Sequence[int] = ()
    queue_id: int | None = None
    detail: str = ""
    """Of typing: the name of who types."""


async def tell(conn: Connection, tenant_id: int, *hints: Hint) -> None:
    """Tells the desks of all processes, if and when the transaction commits; the same hint twice is told once."""
    said = [payload for hint in hints for payload in _payloads(tenant_id, hint)]
    if said:
        await conn.execute("select pg_notify($1, said) from unnest($2::text[]) said", CHANNEL, said)


async def tell_of_chats(conn: Connection, tenant_id: int, chat_ids: Iterable[int | None]) -> None:
    """Tells that something is new in these chats. Where `conn` is in no transaction, it is told after what made it so:
    the lock that all commits with a NOTIFY share is no part of that one."""
    hints = [Hint("message", chat_id) for chat_id in dict.fromkeys(chat_ids) if chat_id]
    if conn.is_in_transaction():
        await tell(conn, tenant_id, *hints)
        return
    # What it tells of is committed: a connection that breaks now must not make it look as if it were not.
    with contextlib.suppress(*UNREACHABLE):
        await tell(conn, tenant_id, *hints)


async def tell_of_number(conn: Connection, tenant_id: int, number: str) -> None:
    """Tells of the open chat with this phone, where there is one: what may be sent to it has changed."""
    chat_id = await conn.fetchval(
        """
        select c.chat_id from end_users e
        join chats c on c.tenant_id = $1 and c.end_user_id = e.end_user_id and c.ends_at is null
        where e.tenant_id = $1 and e.number = $2 and e.number > ''
        """,
        tenant_id, number,
    )  # fmt: skip
    if chat_id is not None:
        await tell(conn, tenant_id, Hint("chat", chat_id))


async def tell_of_end_user(conn: Connection, tenant_id: int, end_user_id: int) -> None:
    """Tells of the open chats with a consumer, over any of his phones: who he is has changed."""
    rows = await conn.fetch(
        """
        select c.chat_id from end_users e
        join chats c on c.tenant_id = $1 and c.end_user_id = e.end_user_id and c.ends_at is null
        where e.tenant_id = $1 and (e.end_user_id = $2 or e.merged_into = $2 and e.merged_into is not null)
        """,
        tenant_id, end_user_id,
    )  # fmt: skip
    await tell(conn, tenant_id, *(Hint("chat", row[0]) for row in rows))


def _payloads(tenant_id: int, hint: Hint) -> list[str]:
    agents = sorted(set(hint.agent_ids))
    groups = [agents[start : start + MOST_AGENTS] for start in range(0, len(agents), MOST_AGENTS)] or [[]]
    fields: dict[str, Any] = {"t": tenant_id, "w": hint.what, "c": hint.chat_id, "q": hint.queue_id, "d": hint.detail}
    known = {name: value for name, value in fields.items() if value}
    return [msgspec.json.encode({**known, "a": group} if group else known).decode() for group in groups]
