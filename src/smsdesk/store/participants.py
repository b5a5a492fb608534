"""Who is in a chat beside its agent: those whom a warm transfer asked in, and supervisors."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.store.db import Connection
from smsdesk.store.telling import Hint, tell


@dataclass(frozen=True, slots=True)
class Present:
    """An agent's part in a chat as it is now."""

    status: str
    """`waiting`, `connected` or `monitoring`."""
    role: str

    @property
    def may_answer(self) -> bool:
        """Whether he may write to the consumer beside the chat's agent: a supervisor who has joined."""
        return (self.status, self.role) == ("connected", "supervisor")


async def find_present(conn: Connection, tenant_id: int, chat_id: int, agent_id: int) -> Present | None:
    """The part that an agent has in a chat now."""
    row = await conn.fetchrow(
        """
        select status, role from participants
        where tenant_id = $1 and chat_id = $2 and user_id = $3 and ended_at is null
        """,
        tenant_id, chat_id, agent_id,
    )  # fmt: skip
    return None if row is None else Present(*row)


@dataclass(frozen=True, slots=True)
class Part:
    """The part that an agent is to have in a chat. `participant_id` is used where he has none yet."""

    participant_id: int
    agent_id: int
    status: str
    role: str = "agent"


async def enter(conn: Connection, tenant_id: int, chat_id: int, part: Part, now: datetime) -> None:
    """Brings an agent into a chat, or changes the part that he has in it."""
    found = await conn.fetchval(
        """
        update participants
        set status = $4, role = $5, connected_at = case status when 'waiting' then $6 else connected_at end
        where tenant_id = $1 and chat_id = $2 and user_id = $3 and ended_at is null returning 1
        """,
        tenant_id, chat_id, part.agent_id, part.status, part.role, now,
    )  # fmt: skip
    if found is None:
        await conn.execute(
            """
            insert into participants (tenant_id, chat_id, participant_id, type, user_id, status, role, connected_at)
            values ($1, $2, $3, 'agent', $4, $5, $6, $7)
            """,
            tenant_id, chat_id, part.participant_id, part.agent_id, part.status, part.role, now,
        )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", chat_id, [part.agent_id]))


async def leave_who_may_not(conn: Connection, tenant_id: int, now: datetime) -> None:
    """Ends the parts of supervisors who are none any more, or are disabled: after their roles were changed."""
    rows = await conn.fetch(
        """
        update participants p set status = 'finished', ended_at = $2, fail_reason = 'nothing'
        from agents a
        where a.tenant_id = $1 and (a.role = 'agent' or a.disabled_at is not null)
          and p.tenant_id = $1 and p.user_id = a.agent_id and p.user_id is not null and p.ended_at is null
          and p.role = 'supervisor'
        returning p.chat_id, p.user_id
        """,
        tenant_id, now,
    )  # fmt: skip
    await tell(conn, tenant_id, *(Hint("chat", row[0], [row[1]]) for row in rows))


async def leave(
    conn: Connection, tenant_id: int, chat_id: int, agent_id: int, now: datetime, fail_reason: str = "nothing"
) -> None:
    """Ends the part that an agent has in a chat; `fail_reason` says why it came to nothing."""
    await conn.execute(
        """
        update participants set status = 'finished', ended_at = $4, fail_reason = $5
        where tenant_id = $1 and chat_id = $2 and user_id = $3 and ended_at is null
        """,
        tenant_id, chat_id, agent_id, now, fail_reason,
    )  # fmt: skip
    await tell(conn, tenant_id, Hint("chat", chat_id, [agent_id]))
