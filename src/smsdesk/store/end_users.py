"""Consumers: their phones, and who holds them. A person with several phones is one row of names, and one more for each
other phone, merged into the first; chats, consent and quiet hours are each phone's own."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from smsdesk.domain.end_user import EndUserRow
from smsdesk.errors import Problem
from smsdesk.store.db import Connection
from smsdesk.store.telling import tell_of_end_user

_NAMES = ("first_name", "last_name", "email")
_COLUMNS = ", ".join(f"{'d' if name in _NAMES else 'e'}.{name}" for name in EndUserRow.__dataclass_fields__)
_SELECT = f"""
select {_COLUMNS} from end_users e
left join end_user_names d on d.tenant_id = e.tenant_id and d.end_user_id = e.end_user_id
"""


@dataclass(frozen=True, slots=True)
class EndUserFilter:
    """Which consumers are meant; None does not filter."""

    number: str | None = None
    identifier: str | None = None


async def find_end_user(conn: Connection, tenant_id: int, end_user_id: int) -> EndUserRow | None:
    """The consumer of this id, merged or not."""
    row = await conn.fetchrow(f"{_SELECT} where e.tenant_id = $1 and e.end_user_id = $2", tenant_id, end_user_id)
    return EndUserRow(*row) if row else None


async def lock_end_users(
    conn: Connection, tenant_id: int, ids: Sequence[int], identifier: str | None = None, number: str | None = None
) -> list[EndUserRow]:
    """The consumers of these ids, of this identifier and of this number, with those whom they were merged into; locked
    in the order of their ids, so that no two wait for each other crosswise."""
    found = await conn.fetchval(
        """
        select array(
            select unnest($2::bigint[])
            union select coalesce(e.merged_into, e.end_user_id) from end_users e
                  where e.tenant_id = $1 and e.end_user_id = any ($2::bigint[])
            union select e.end_user_id from end_users e
                  where e.tenant_id = $1 and e.identifier = $3 and e.identifier is not null
            union select unnest(array[e.end_user_id, coalesce(e.merged_into, e.end_user_id)]) from end_users e
                  where e.tenant_id = $1 and e.number = $4 and e.number > '')
        """,
        tenant_id, list(ids), identifier, number,
    )  # fmt: skip
    rows = await conn.fetch(
        f"{_SELECT} where e.tenant_id = $1 and e.end_user_id = any ($2) order by e.end_user_id for no key update of e",
        tenant_id,
        found,
    )
    return [EndUserRow(*row) for row in rows]


async def find_number_of_chat(conn: Connection, tenant_id: int, chat_id: int) -> str | None:
    """The phone that a chat is with; nothing is locked."""
    number: str | None = await conn.fetchval(
        """
        select e.number from chats c join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
        where c.tenant_id = $1 and c.chat_id = $2
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    return number


async def add_end_user(conn: Connection, tenant_id: int, new: EndUserRow) -> None:
    """Writes a consumer of whom there was none; one whose number came in this moment stays as he is."""
    await conn.execute(
        """
        insert into end_users (tenant_id, end_user_id, number, created_at) values ($1, $2, $3, $4)
        on conflict do nothing
        """,
        tenant_id, new.end_user_id, new.number, new.created_at,
    )  # fmt: skip


async def write_identity(conn: Connection, tenant_id: int, row: EndUserRow) -> None:
    """Writes who a consumer is; the zone has a door of its own (`store/quiet_hours.py`). Raises Problem
    `end_user_conflict` where somebody got his identifier in this moment."""
    try:
        await conn.execute(
            """
            update end_users set identifier = $3, out_contact_id = $4 where tenant_id = $1 and end_user_id = $2
            """,
            tenant_id, row.end_user_id, row.identifier, row.out_contact_id,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Problem("end_user_conflict", "another request uses this identifier at this moment: try again") from None
    await conn.execute(
        """
        insert into end_user_names (tenant_id, end_user_id, first_name, last_name, email) values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, end_user_id) do update set
            first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email
        """,
        tenant_id, row.end_user_id, row.first_name, row.last_name, row.email,
    )  # fmt: skip
    await tell_of_end_user(conn, tenant_id, row.end_user_id)


async def merge_rows(conn: Connection, tenant_id: int, end_user_id: int, into_id: int) -> None:
    """Makes a phone, and those merged into it before, one of another consumer: its own names are forgotten."""
    await conn.execute(
        """
        update end_users set merged_into = $3, identifier = null
        where tenant_id = $1 and (end_user_id = $2 or merged_into = $2 and merged_into is not null)
        """,
        tenant_id, end_user_id, into_id,
    )  # fmt: skip
    await conn.execute("delete from end_user_names where tenant_id = $1 and end_user_id = $2", tenant_id, end_user_id)


async def find_numbers(conn: Connection, tenant_id: int, ids: Sequence[int]) -> dict[int, list[str]]:
    """All phones of these consumers, each one's own first."""
    rows = await conn.fetch(
        """
        select e.end_user_id as owner, e.number, 0 as place, e.created_at from end_users e
        where e.tenant_id = $1 and e.end_user_id = any ($2::bigint[])
        union all
        select e.merged_into, e.number, 1, e.created_at from end_users e
        where e.tenant_id = $1 and e.merged_into = any ($2) and e.merged_into is not null
        order by place, created_at, number
        """,
        tenant_id, list(ids),
    )  # fmt: skip
    found: dict[int, list[str]] = {one: [] for one in ids}
    for row in rows:
        found[row["owner"]].append(row["number"])
    return found


async def find_in_open_chats(conn: Connection, tenant_id: int, ids: Sequence[int]) -> list[int]:
    """Which of these consumers are in an open chat over one of their phones."""
    rows = await conn.fetch(
        """
        select distinct coalesce(e.merged_into, e.end_user_id) as id from end_users e
        join chats c on c.tenant_id = $1 and c.end_user_id = e.end_user_id and c.ends_at is null
        where e.tenant_id = $1 and (e.end_user_id = any ($2) or e.merged_into = any ($2) and e.merged_into is not null)
        """,
        tenant_id, list(ids),
    )  # fmt: skip
    return [row["id"] for row in rows]


_WHERE = """
where e.tenant_id = $1 and e.created_at > '2000-01-01' and e.merged_into is null
  and ($2::text is null or e.end_user_id = (
      select coalesce(o.merged_into, o.end_user_id) from end_users o where o.tenant_id = $1 and o.number = $2
                                                                     and o.number > ''))
  and ($3::text is null or e.identifier = $3)
"""


async def list_end_users(
    conn: Connection, tenant_id: int, wanted: EndUserFilter, limit: int, offset: int
) -> list[EndUserRow]:
    """A page of consumers, the newest first; one who was merged into another is not one any more."""
    rows = await conn.fetch(
        f"""
        {_SELECT} {_WHERE} order by e.created_at desc, e.end_user_id desc limit $4 offset $5
        """,
        tenant_id, wanted.number, wanted.identifier, limit, offset,
    )  # fmt: skip
    return [EndUserRow(*row) for row in rows]


async def count_end_users(conn: Connection, tenant_id: int, wanted: EndUserFilter) -> int:
    """How many there are."""
    count: int = await conn.fetchval(
        f"select count(*) from end_users e {_WHERE}", tenant_id, wanted.number, wanted.identifier
    )
    return count
