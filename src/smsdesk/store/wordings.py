"""What the variables of automatic texts stand for in one chat."""

from smsdesk.errors import Problem
from smsdesk.store.db import Connection


async def read_variables(conn: Connection, tenant_id: int, chat_id: int) -> dict[str, str]:
    """The values of the variables that hold for any text of the chat; those that are not known are missing."""
    row = await conn.fetchrow(
        """
        select coalesce(nullif(t.settings ->> 'company_name', ''), t.subdomain) as "COMPANY_NAME",
               q.name as "QUEUE_NAME", q.name as "QUEUE",
               nullif(trim(a.first_name || ' ' || a.last_name), '') as "AGENT_NAME", a.agent_id::text as "AGENT_ID",
               d.first_name as "END_USER"
        from chats c join tenants t on t.tenant_id = $1
        join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
        left join end_user_names d on d.tenant_id = $1 and d.end_user_id = coalesce(e.merged_into, e.end_user_id)
        left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
        left join agents a on a.tenant_id = $1 and a.agent_id = c.agent_id
        where c.tenant_id = $1 and c.chat_id = $2
        """,
        tenant_id, chat_id,
    )  # fmt: skip
    if row is None:
        raise Problem("not_found", f"there is no chat {chat_id}")
    return {name: value for name, value in row.items() if value is not None}
