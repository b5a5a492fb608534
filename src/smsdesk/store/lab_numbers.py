"""Which of the phones of a lab a tenant has to do with: one lab may serve several tenants."""

from collections.abc import Collection, Sequence

from smsdesk.store.db import Connection


async def find_known(conn: Connection, tenant_id: int, numbers: Collection[str]) -> set[str]:
    """Those of the numbers that are consumers of this tenant."""
    rows = await conn.fetch(
        "select number from end_users where tenant_id = $1 and number = any ($2)", tenant_id, list(numbers)
    )
    return {row[0] for row in rows}


async def find_free(conn: Connection, tenant_id: int, numbers: Sequence[str]) -> str:
    """The first of the numbers with which no chat is open and that may be texted; the last where there is none."""
    found: str | None = await conn.fetchval(
        """
        select u.number from unnest($2::text[]) with ordinality u (number, i)
        where not exists (select from opt_outs o where o.tenant_id = $1 and o.number = u.number)
          and not exists (select from blocked_numbers b where b.tenant_id = $1 and b.number = u.number)
          and not exists (
              select from end_users e join chats c on c.tenant_id = $1 and c.end_user_id = e.end_user_id
              where e.tenant_id = $1 and e.number = u.number and c.ends_at is null
          )
        order by u.i limit 1
        """,
        tenant_id, list(numbers),
    )  # fmt: skip
    return found or numbers[-1]
