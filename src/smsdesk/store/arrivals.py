"""Where replies go: what decides it, and what a chat keeps of its menu."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.domain.menu import Entry, MenuWords, Tree
from smsdesk.errors import Problem
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.db import Connection

WAITS_ASKED = 20
"""The wait of so many chats before tells how long the next one has to wait."""
WAITS_SINCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """Where a number of ours leads, and what its tenant has set about replies. A number leads to a queue, to an agent,
    or nowhere: so does one that is not the tenant's."""

    queue_id: int | None
    agent_id: int | None
    agent_gone: bool
    """The number's agent is disabled."""
    default_queue_id: int | None
    unmapped: str
    words: MenuWords


async def read_line(conn: Connection, tenant_id: int, number: str, other_number: str) -> Line:
    """Where the number leads; where it leads nowhere, the other one counts. A queue that was deleted is none."""
    row = await conn.fetchrow(
        """
        select n.queue_id, n.agent_id, coalesce(n.agent_gone, false) as agent_gone,
               (t.settings ->> 'default_queue')::bigint as default_queue_id,
               coalesce(t.settings ->> 'unmapped_replies', 'supervisors') as unmapped,
               coalesce(t.settings ->> 'back_word', 'BACK') as back,
               coalesce(t.settings ->> 'exit_word', 'EXIT') as exit
        from tenants t left join lateral (
            select q.queue_id, n.agent_id, a.disabled_at is not null as agent_gone
            from unnest(array[$2, $3]) with ordinality u (number, i)
            join numbers n on n.tenant_id = $1 and n.number = u.number
            left join queues q on q.tenant_id = $1 and q.queue_id = n.queue_id and q.deleted_at is null
            left join agents a on a.tenant_id = $1 and a.agent_id = n.agent_id
            where q.queue_id is not null or n.agent_id is not null
            order by u.i limit 1
        ) n on true
        where t.tenant_id = $1
        """,
        tenant_id, number, other_number,
    )  # fmt: skip
    if row is None:
        raise Problem("not_found", f"there is no tenant {tenant_id}")
    words = MenuWords(row["back"], row["exit"])
    return Line(
        row["queue_id"], row["agent_id"], row["agent_gone"], row["default_queue_id"], row["unmapped"], words
    )  # fmt: skip


async def read_tree(conn: Connection, tenant_id: int) -> Tree:
    """The tenant's queues in their order."""
    rows = await conn.fetch(
        """
        select queue_id, parent_id, name, keyword, hidden, deleted_at is not null from queues
        where tenant_id = $1 order by position, queue_id
        """,
        tenant_id,
    )
    return Tree(map(Entry._make, rows))


@dataclass(frozen=True, slots=True)
class Former:
    """The chat that a consumer had before: where it was, and who had it last."""

    outbound_number: str
    queue_id: int | None
    agent_id: int | None


async def find_former(conn: Connection, tenant_id: int, chat_id: int) -> Former | None:
    """A chat that has ended."""
    row = await conn.fetchrow(
        "select outbound_number, queue_id, agent_id from chats where tenant_id = $1 and chat_id = $2",
        tenant_id,
        chat_id,
    )
    return None if row is None else Former(*row)


@dataclass(frozen=True, slots=True)
class Placed:
    """What a chat keeps of the way to its queue. None leaves the last two as they are."""

    lang: str
    menu_id: int | None = None
    menu_tries: int = 0
    preferred_agent_id: int | None = None
    chat_type: str | None = None


async def place(conn: Connection, tenant_id: int, chat: ChatRow, placed: Placed) -> None:
    """Writes it, where it is something new."""
    unasked = placed.preferred_agent_id in (None, chat.preferred_agent_id) and placed.chat_type is None
    if unasked and (placed.lang, placed.menu_id, placed.menu_tries) == (chat.lang, chat.menu_id, chat.menu_tries):
        return
    await conn.execute(
        """
        update chats set lang = $3, menu_id = $4, menu_tries = $5,
                         preferred_agent_id = coalesce($6, preferred_agent_id), chat_type = coalesce($7, chat_type)
        where tenant_id = $1 and chat_id = $2
        """,
        tenant_id, chat.chat_id, placed.lang, placed.menu_id, placed.menu_tries, placed.preferred_agent_id,
        placed.chat_type,
    )  # fmt: skip


async def is_disabled(conn: Connection, tenant_id: int, agent_id: int) -> bool:
    """Whether nobody works under this agent's name any more."""
    disabled: bool | None = await conn.fetchval(
        "select disabled_at is not null from agents where tenant_id = $1 and agent_id = $2", tenant_id, agent_id
    )
    return disabled is not False


async def find_said(conn: Connection, tenant_id: int, chat_id: int, words: str) -> datetime | None:
    """When the system said these words in a chat last."""
    said: datetime | None = await conn.fetchval(
        """
        select max(created_at) from messages
        where tenant_id = $1 and chat_id = $2 and sender = 'system' and strpos(body, $3) > 0
        """,
        tenant_id, chat_id, words,
    )  # fmt: skip
    return said


async def estimate_wait(conn: Connection, tenant_id: int, queue_id: int, now: datetime) -> int | None:
    """Minutes, at least one, that chats waited in the queue for an agent of late; None where none did in a day."""
    minutes: int | None = await conn.fetchval(
        """
        select greatest(1, ceil(avg(extract(epoch from w.assigned_at - w.queued_at)) / 60)::int) from (
            select assigned_at, queued_at from chats
            where tenant_id = $1 and queue_id = $2 and queued_at is not null and assigned_at is not null
              and assigned_at between $3 and $4
            order by assigned_at desc limit $5
        ) w having count(*) > 0
        """,
        tenant_id, queue_id, now - WAITS_SINCE, now, WAITS_ASKED,
    )  # fmt: skip
    return minutes


async def find_unowned(conn: Connection, tenant_id: int, limit: int) -> list[int]:
    """Chats whose consumer waits where nobody will see it: in no menu that was sent, in no queue that stands, with no
    agent who is there to stay. There are none; those that are found are locked, and what somebody works on is passed
    over."""
    rows = await conn.fetch(
        """
        select c.chat_id from chats c
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id and q.deleted_at is null
        left join agents a on a.tenant_id = $1 and a.agent_id = c.agent_id and a.disabled_at is null
        where c.tenant_id = $1 and c.ends_at is null and c.expires_at is null and c.end_user_said_at is not null
          and (c.agent_said_at is null or c.agent_said_at < c.end_user_said_at)
          and case when c.status = 'selecting' then c.menu_id is null
                   when c.status in ('queued', 'resumed', 'transferred') then q.queue_id is null
                   when c.status in ('assigned', 'ongoing') then a.agent_id is null
                   else c.end_user_said_at > c.since end
        order by c.end_user_said_at limit $2 for no key update of c skip locked
        """,
        tenant_id, limit,
    )  # fmt: skip
    return [row[0] for row in rows]
