"""Whom an agent may write to first, and from which number: what is looked up while he fills in the form."""

from dataclasses import dataclass

from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Found:
    """A person whom a search has found, by one of his phones."""

    end_user_id: int
    number: str
    name: str


_NAMED = """
with named as (
    (select d.end_user_id from end_user_names d
     where d.tenant_id = $1 and d.first_name is not null
       and lower(coalesce(d.first_name, '') || ' ' || coalesce(d.last_name, '')) like $2 limit $3)
    union
    (select d.end_user_id from end_user_names d
     where d.tenant_id = $1 and d.last_name is not null and lower(d.last_name) like $2 limit $3)
)
select e.end_user_id, e.number, trim(coalesce(d.first_name, '') || ' ' || coalesce(d.last_name, '')) as name
from named w
join end_users e on e.tenant_id = $1 and e.end_user_id = w.end_user_id
join end_user_names d on d.tenant_id = $1 and d.end_user_id = w.end_user_id
order by lower(coalesce(d.first_name, '')), lower(coalesce(d.last_name, '')), e.number limit $3
"""


async def find_named(conn: Connection, tenant_id: int, beginning: str, limit: int) -> list[Found]:
    """Those whose name, or last name, begins so; in the order of their names."""
    plain = "".join(f"\\{each}" if each in "\\%_" else each for each in beginning.lower())
    return [Found(*row) for row in await conn.fetch(_NAMED, tenant_id, f"{plain}%", limit)]


async def find_numbered(conn: Connection, tenant_id: int, beginning: str, limit: int) -> list[Found]:
    """Those with a phone whose number (E.164) begins so, in the order of the numbers."""
    # A range and not a LIKE: the index of the numbers is in the database's own order, which no LIKE can use.
    rows = await conn.fetch(
        """
        select e.end_user_id, e.number, trim(coalesce(d.first_name, '') || ' ' || coalesce(d.last_name, ''))
        from end_users e
        left join end_user_names d on d.tenant_id = $1 and d.end_user_id = coalesce(e.merged_into, e.end_user_id)
        where e.tenant_id = $1 and e.number > '' and e.number >= $2 and e.number <= $2 || repeat('9', 16)
        order by e.number limit $3
        """,
        tenant_id, beginning, limit,
    )  # fmt: skip
    return [Found(*row) for row in rows]


async def find_open_chat(conn: Connection, tenant_id: int, number: str) -> int | None:
    """The chat that the phone of this number is in now."""
    chat_id: int | None = await conn.fetchval(
        """
        select c.chat_id from end_users e
        join chats c on c.tenant_id = $1 and c.end_user_id = e.end_user_id and c.ends_at is null
        where e.tenant_id = $1 and e.number = $2 and e.number > ''
        """,
        tenant_id, number,
    )  # fmt: skip
    return chat_id


async def last_number_of(conn: Connection, tenant_id: int, end_user_number: str) -> str | None:
    """Which number of ours this phone was in a chat with last."""
    number: str | None = await conn.fetchval(
        """
        select c.outbound_number from end_users e
        join chats c on c.tenant_id = $1 and c.end_user_id = e.end_user_id and c.ends_at is not null
        where e.tenant_id = $1 and e.number = $2 and e.number > '' order by c.ends_at desc limit 1
        """,
        tenant_id, end_user_number,
    )  # fmt: skip
    return number


@dataclass(frozen=True, slots=True)
class OurNumber:
    """A number of ours, what it is called, and whether it belongs to a queue of the agent's, or to him."""

    number: str
    label: str
    his: bool


async def list_our_numbers(conn: Connection, tenant_id: int, agent_id: int) -> list[OurNumber]:
    """The numbers from which he may write: his own and his queues' first. Another agent's are not among them."""
    rows = await conn.fetch(
        """
        select n.number, n.label, coalesce(n.agent_id = $2, false) or exists (
            select from agent_queues p where p.tenant_id = $1 and p.agent_id = $2 and p.queue_id = n.queue_id) as his
        from numbers n where n.tenant_id = $1 and (n.agent_id is null or n.agent_id = $2)
        order by 3 desc, n.agent_id nulls last, n.label, n.number
        """,
        tenant_id, agent_id,
    )  # fmt: skip
    return [OurNumber(*row) for row in rows]
