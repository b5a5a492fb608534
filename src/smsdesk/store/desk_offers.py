"""What an agent's screen tells him of beside his lists: who an offer is about, what he got without being asked, and how
he has it told."""

from collections.abc import Sequence
from dataclasses import dataclass

from smsdesk.store.db import Connection

# A consumer whose phone was found to be another's is called as that one.
_NAME = """
coalesce((select trim(concat_ws(' ', n.first_name, n.last_name)) from end_user_names n
          where n.tenant_id = $1 and n.end_user_id = coalesce(e.merged_into, e.end_user_id)), '')
"""


LONGEST_WORDS = 300
"""Characters of a consumer's words that an offer shows."""
CHOICE = """
(m.sender = 'end_user' and c.agent_said_at is null
 and (m.body ~ '^[[:space:]]*[[:digit:]]{1,2}[[:punct:][:space:]]*$'
      or exists (select from queues k where k.tenant_id = $1 and k.deleted_at is null
                                        and upper(k.keyword) = upper(trim(m.body)))))
"""
"""SQL: whether line `m` of chat `c` only chose from a menu, as far as can be told: a number or a keyword, before any
agent said something."""


@dataclass(frozen=True, slots=True)
class Given:
    """A chat that an agent got without being asked, and has not looked at yet."""

    chat_id: int
    number: str
    name: str
    queue_name: str | None


async def list_given(conn: Connection, tenant_id: int, agent_id: int) -> list[Given]:
    """What an agent got without being asked and has not looked at, the oldest first."""
    rows = await conn.fetch(
        f"""
        select c.chat_id, e.number, {_NAME}, q.name
        from chats c
        join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        where c.tenant_id = $1 and c.agent_id = $2 and c.agent_id is not null and c.ends_at is null
          and c.end_user_said_at is not null and c.status <> 'dismissed'
          and c.answer_type = 'auto' and coalesce(c.agent_said_at < c.assigned_at, true)
          and not exists (select from desk_chats d where d.tenant_id = $1 and d.chat_id = c.chat_id
                          and d.agent_id = $2 and d.read_at >= c.assigned_at)
        order by c.assigned_at, c.chat_id limit 5
        """,
        tenant_id, agent_id,
    )  # fmt: skip
    return [Given(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who it is that an offer is about, and who gives it away."""

    number: str
    name: str
    target_seconds: int
    from_agent: str
    words: str
    """What he wrote last; what he chose from a menu only where he wrote nothing else."""


async def find_callers(conn: Connection, tenant_id: int, chat_ids: Sequence[int]) -> dict[int, Caller]:
    """Who these chats are with."""
    rows = await conn.fetch(
        f"""
        select c.chat_id, e.number, {_NAME},
               coalesce((q.effective ->> 'target_seconds')::int, 0),
               coalesce((select concat_ws(' ', a.first_name, a.last_name) from transfers t
                         join agents a on a.tenant_id = $1 and a.agent_id = t.from_agent_id
                         where t.tenant_id = $1 and t.chat_id = c.chat_id and t.status = 'transferring'), ''),
               coalesce((select left(m.body, {LONGEST_WORDS}) from messages m
                         where m.tenant_id = $1 and m.chat_id = c.chat_id and m.sender = 'end_user'
                         order by {CHOICE}, m.created_at desc, m.message_id desc limit 1), '')
        from chats c
        join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        where c.tenant_id = $1 and c.chat_id = any($2)
        """,
        tenant_id, list(chat_ids),
    )  # fmt: skip
    return {row[0]: Caller(*row[1:]) for row in rows}


async def set_sound(conn: Connection, tenant_id: int, agent_id: int, on: bool) -> None:
    """Notes whether an agent wants to hear his offers."""
    await conn.execute(
        """
        insert into desk_profiles (tenant_id, agent_id, sound) values ($1, $2, $3)
        on conflict (tenant_id, agent_id) do update set sound = $3
        """,
        tenant_id, agent_id, on,
    )  # fmt: skip
