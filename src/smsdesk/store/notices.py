"""Sessionless texts and the replies to them. Each is kept in a chat of its own that has ended when it begins."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.domain.notice import SESSIONLESS, SESSIONLESS_REPLY
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a consumer may be texted from a number of ours."""

    opted_out: bool
    blocked: bool
    in_doubt: bool
    """A person has yet to decide what his last words meant."""


async def read_standing(conn: Connection, tenant_id: int, number: str, source: str) -> Standing:
    """As it stands now. Whatever changes before the text leaves, its claim looks again."""
    row = await conn.fetchrow(
        """
        select opted_out($1, $2, $3),
               exists (select from blocked_numbers b where b.tenant_id = $1 and b.number = $2), in_doubt($1, $2, $3)
        """,
        tenant_id, number, source,
    )  # fmt: skip
    assert row is not None
    return Standing(*row)


@dataclass(frozen=True, slots=True)
class NewNotice:
    """The chat that keeps a notice. `chat_id + 1` is the id of the consumer's part in it."""

    chat_id: int
    end_user_id: int
    outbound_number: str


async def add_notice(conn: Connection, tenant_id: int, notice: NewNotice, now: datetime) -> None:
    """Writes the chat: open for no moment, so that it stands in nobody's way."""
    await conn.execute(
        """
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at,
                           chat_type, disconnected_by)
        values ($1, $2, $3, $4, 'outbound', 'finished', $5, $5, $6, 'disconnected_by_system')
        """,
        tenant_id, notice.chat_id, notice.end_user_id, notice.outbound_number, now, SESSIONLESS,
    )  # fmt: skip
    await conn.execute(
        """
        insert into participants (tenant_id, chat_id, participant_id, type, status, end_user_id, connected_at, ended_at)
        values ($1, $2::bigint, $2::bigint + 1, 'end_user', 'finished', $3, $4, $4)
        """,
        tenant_id, notice.chat_id, notice.end_user_id, now,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """The notice that a consumer answers, and what he gets for it."""

    chat_id: int
    reply: str
    lately: bool
    """He got it within the last hour: two machines that answer each other would never end."""


AGAIN_AFTER = timedelta(hours=1)


async def find_answered(
    conn: Connection, tenant_id: int, end_user_id: int, our_number: str, now: datetime
) -> Answered | None:
    """The notice that a consumer answers who writes to this number now: his last chat that ended was one, or a reply to
    one, not longer ago than the tenant's `sessionless_days`. None where it was not, or where the tenant has no
    `sessionless_reply`."""
    row = await conn.fetchrow(
        """
        select n.chat_id, t.settings ->> 'sessionless_reply', l.chat_type = $6 and l.ends_at > $5 as lately
        from tenants t
        cross join lateral (
            select c.chat_id, c.chat_type, c.previous_chat_id, c.ends_at from chats c
            where c.tenant_id = $1 and c.end_user_id = $2 and c.ends_at is not null order by c.ends_at desc limit 1
        ) l
        join chats n on n.tenant_id = $1
            and n.chat_id = case when l.chat_type = $6 then l.previous_chat_id else l.chat_id end
        where t.tenant_id = $1 and t.settings ->> 'sessionless_reply' <> '' and n.chat_type = $7
          and n.outbound_number = $3
          and n.created_at > $4::timestamptz
              - make_interval(days => coalesce((t.settings ->> 'sessionless_days')::int, 7))
        """,
        tenant_id, end_user_id, our_number, now, now - AGAIN_AFTER, SESSIONLESS_REPLY, SESSIONLESS,
    )  # fmt: skip
    return Answered(*row) if row else None


async def mark_reply(conn: Connection, tenant_id: int, chat_id: int, notice_id: int) -> None:
    """Makes a chat that a consumer began one that answers a notice."""
    await conn.execute(
        "update chats set chat_type = $3, previous_chat_id = $4 where tenant_id = $1 and chat_id = $2",
        tenant_id, chat_id, SESSIONLESS_REPLY, notice_id,
    )  # fmt: skip
