"""Whom something new in a chat concerns: asked once for all chats of which desks were told at about the same time."""

from collections.abc import Collection
from dataclasses import dataclass

from smsdesk.domain.chat_life import WAITING
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Concerned:
    """Who has a chat, is in it, or is asked for it, as it stands now."""

    chat_id: int
    queue_id: int | None
    status: str
    agent_id: int | None
    present: frozenset[int]
    asked: frozenset[int]

    @property
    def waits(self) -> bool:
        """Whether it stands in the list of the chats that wait in a queue."""
        return self.status in WAITING

    @property
    def agent_ids(self) -> frozenset[int]:
        """Those who have it or are in it."""
        return self.present if self.agent_id is None else self.present | {self.agent_id}


async def find_concerned(conn: Connection, tenant_id: int, chat_ids: Collection[int]) -> dict[int, Concerned]:
    """Each of these chats that there is, by its id."""
    rows = await conn.fetch(
        """
        select c.chat_id, c.queue_id, c.status, c.agent_id,
               array(select p.user_id from participants p
                     where p.tenant_id = $1 and p.chat_id = c.chat_id and p.type = 'agent' and p.ended_at is null),
               array(select o.agent_id from offers o
                     where o.tenant_id = $1 and o.chat_id = c.chat_id and o.state = 'open')
        from unnest($2::bigint[]) u (chat_id) join chats c on c.tenant_id = $1 and c.chat_id = u.chat_id
        """,
        tenant_id, list(chat_ids),
    )  # fmt: skip
    return {
        row[0]: Concerned(row[0], row[1], row[2], row[3], frozenset(filter(None, row[4])), frozenset(row[5]))
        for row in rows
    }


async def find_queues_of(conn: Connection, tenant_id: int, agent_id: int) -> frozenset[int]:
    """The queues in which an agent works."""
    rows = await conn.fetch(
        "select queue_id from agent_queues where tenant_id = $1 and agent_id = $2", tenant_id, agent_id
    )
    return frozenset(row[0] for row in rows)
