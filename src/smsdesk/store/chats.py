"""Chats and who is in them, read whole."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from smsdesk.domain.chat import Chat, EndUser, OfferEvent, Participant, Queue, ticket_url
from smsdesk.domain.tenant import Agent
from smsdesk.store.db import Connection
from smsdesk.store.media import find_media
from smsdesk.store.transfers import find_transfers

_CHAT = """
select c.*, d.waited, d.handled, coalesce(p.end_user_id, e.end_user_id) as shown_end_user_id,
       coalesce(p.identifier, e.identifier) as identifier,
       coalesce(p.out_contact_id, e.out_contact_id) as out_contact_id,
       a.email, a.agent_number, a.first_name, a.last_name, a.avatar_url,
       t.settings ->> 'ticket_url' as ticket_page,
       case when t.settings ? 'crm' then null else c.ticket_id end as shown_ticket_id
from chats c
join tenants t on t.tenant_id = c.tenant_id
join end_users e on e.tenant_id = c.tenant_id and e.end_user_id = c.end_user_id
left join end_users p on p.tenant_id = c.tenant_id and p.end_user_id = e.merged_into
left join agents a on a.tenant_id = c.tenant_id and a.agent_id = c.agent_id
cross join lateral (
    select coalesce(floor(extract(epoch from sum(s.ended_at - s.started_at) filter (
               where s.status in ('queued', 'resumed', 'transferred')
                 and (c.assigned_at is null or s.started_at < c.assigned_at)))), 0)::int as waited,
           coalesce(floor(extract(epoch from sum(s.ended_at - s.started_at) filter (
               where s.status in ('assigned', 'ongoing') and c.ends_at is not null))), 0)::int as handled
    from spans s where s.tenant_id = c.tenant_id and s.chat_id = c.chat_id
) d
"""


async def find_chats(conn: Connection, tenant_id: int, chat_ids: Sequence[int]) -> dict[int, Chat]:
    """The chats of these ids that the tenant has, whole, by id."""
    rows = await conn.fetch(f"{_CHAT} where c.tenant_id = $1 and c.chat_id = any($2)", tenant_id, list(set(chat_ids)))
    return {chat.chat_id: chat for chat in await _whole(conn, tenant_id, rows)}


async def find_chat(conn: Connection, tenant_id: int, chat_id: int) -> Chat | None:
    """The chat of this id, whole, where the tenant has it."""
    return (await find_chats(conn, tenant_id, [chat_id])).get(chat_id)


async def has_chat(conn: Connection, tenant_id: int, chat_id: int) -> bool:
    """Whether the tenant has a chat of this id."""
    return bool(
        await conn.fetchval(
            "select exists (select from chats where tenant_id = $1 and chat_id = $2)", tenant_id, chat_id
        )
    )


async def _whole(conn: Connection, tenant_id: int, rows: Sequence[asyncpg.Record]) -> list[Chat]:
    participants: dict[int, list[Participant]] = {row["chat_id"]: [] for row in rows}
    for row in await conn.fetch(
        "select * from participants where tenant_id = $1 and chat_id = any($2) order by connected_at, participant_id",
        tenant_id,
        list(participants),
    ):
        participants[row["chat_id"]].append(
            Participant(
                **{name: row[name] for name in Participant.__dataclass_fields__}  # the columns bear the same names
            )
        )
    events: dict[int, list[OfferEvent]] = {row["chat_id"]: [] for row in rows}
    for row in await conn.fetch(
        "select chat_id, at, group_name from casts where tenant_id = $1 and chat_id = any($2) order by number",
        tenant_id,
        list(events),
    ):
        events[row["chat_id"]].append(OfferEvent(row["at"], row["group_name"]))
    transfers = await find_transfers(conn, tenant_id, list(events))
    media = await find_media(conn, tenant_id, list(events))
    named = [(one.from_queue_id, one.to_queue_id) for each in transfers.values() for one in each]
    queue_ids = {queue_id for ids in (*named, [row["queue_id"] for row in rows]) for queue_id in ids if queue_id}
    queues = await find_queues(conn, tenant_id, queue_ids)
    return [
        replace(
            _chat(row, tuple(participants[chat_id]), queues.get(row["queue_id"])),
            offer_events=tuple(events[chat_id]),
            transfers=tuple(transfers[chat_id]),
            queues=queues if transfers[chat_id] else {},
            media=tuple(media[chat_id]),
        )
        for row in rows
        for chat_id in (row["chat_id"],)
    ]


async def find_queues(conn: Connection, tenant_id: int, queue_ids: set[int]) -> dict[int, Queue]:
    """These queues with the way to each from the top of the menu."""
    if not queue_ids:
        return {}
    rows = await conn.fetch(
        """
        with recursive up as (
            select q.queue_id as leaf, q.* , 0 as depth from queues q where q.tenant_id = $1 and q.queue_id = any($2)
            union all
            select up.leaf, q.*, up.depth + 1 from up
            join queues q on q.tenant_id = $1 and q.queue_id = up.parent_id
        )
        select leaf, array_agg(name order by depth desc) as names, array_agg(queue_id order by depth desc) as ids,
               min(parent_id) filter (where depth = 0) as parent_id, min(position) filter (where depth = 0) as position,
               bool_or(hidden) filter (where depth = 0) as hidden,
               bool_or(deleted_at is not null) filter (where depth = 0) as deleted,
               min(coalesce(effective #>> '{texts,greeting}', effective #>> '{texts,menu}'))
                   filter (where depth = 0) as prompt,
               coalesce(min(purpose) filter (where depth = 0), 'sms') as menu_type
        from up group by leaf
        """,
        tenant_id,
        list(queue_ids),
    )
    return {
        row["leaf"]: Queue(
            row["leaf"],
            row["names"][-1],
            row["parent_id"],
            row["position"],
            row["hidden"],
            row["deleted"],
            tuple(row["names"]),
            tuple(row["ids"]),
            row["prompt"],
            row["menu_type"],
        )
        for row in rows
    }


def _chat(row: asyncpg.Record, participants: tuple[Participant, ...], queue: Queue | None) -> Chat:
    agent = None
    if row["agent_id"] is not None:
        agent = Agent(
            row["agent_id"], row["email"], row["agent_number"], row["first_name"], row["last_name"], row["avatar_url"]
        )
    return Chat(
        chat_id=row["chat_id"],
        status=row["status"],
        created_at=row["created_at"],
        outbound_number=row["outbound_number"],
        end_user=EndUser(row["shown_end_user_id"], row["identifier"], row["out_contact_id"]),
        participants=participants,
        lang=row["lang"],
        queued_at=row["queued_at"],
        assigned_at=row["assigned_at"],
        ends_at=row["ends_at"],
        out_ticket_id=row["out_ticket_id"] or row["shown_ticket_id"],
        out_ticket_url=row["out_ticket_url"] or ticket_url(row["ticket_page"], row["shown_ticket_id"]),
        disconnected_by=row["disconnected_by"],
        fail_reason=row["fail_reason"],
        agent=agent,
        queue=queue,
        chat_type=row["chat_type"],
        wait_duration=row["waited"],
        chat_duration=row["handled"],
        rating=row["rating"],
        has_feedback=row["feedback"] is not None,
        verified=row["verified"],
        answer_type=row["answer_type"],
        offer_type=row["offer_type"],
    )
