"""The lists of chats that an agent works from, page by page, and how many there are.

What is on a page is picked first, by the chats' rows alone, then the lines of that page are read: a list of ten
thousand chats costs as much as their index, and fifty lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from smsdesk.store.db import Connection
from smsdesk.store.desk_offers import CHOICE

Tab = Literal["mine", "sent", "waiting", "aside"]
TABS: tuple[Tab, ...] = get_args(Tab)
"""`mine`: consumers who wrote, those who wait first. `sent`: texts in his name that nobody has answered yet. `waiting`:
chats of his queues that nobody has. `aside`: his chats whose consumers went silent."""
MOST_COUNTED = 1_000
"""Chats that wait in his queues are counted so far; there may be more."""
LAST_WORDS = 160
"""Characters of the last line that a list shows."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The place of a chat in its list; the first has the smallest."""

    rank: int
    score: int
    """Microseconds: since when he waits, or, negative, when it was last that something happened."""
    chat_id: int

    def __str__(self) -> str:
        return f"{self.rank}.{self.score}.{self.chat_id}"


FIRST, LAST = Key(-1, 0, 0), Key(9, 0, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """Which stretch of a list is wanted: what lies behind `after`, as far as `until`, at most `limit` lines."""

    after: Key = FIRST
    until: Key = LAST
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A chat of a list."""

    key: Key
    chat_id: int
    status: str
    participation: str
    """`owner`, or, in another's chat, `waiting`, `connected` or `monitoring`; `queue` where nobody has it."""
    number: str
    name: str
    queue_name: str | None
    target_seconds: int
    """How soon he ought to be answered; 0 is no target."""
    waiting_since: datetime | None
    last_sender: str | None
    last_agent_id: int | None
    last_agent: str
    last_words: str
    last_at: datetime | None
    has_files: bool
    """Whether the last line came with a picture or another file."""
    unread: int
    """What the consumer has written since this agent, or any, last looked or answered."""
    text_state: str | None
    """What became of the last text of ours."""
    transfer_kind: str | None
    transfer_to: int | None
    has_draft: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many chats each list has, and in how many of `mine` there is something that he has not seen."""

    mine: int
    sent: int
    waiting: int
    aside: int
    unread: int


_MICRO = "(extract(epoch from {}) * 1000000)::bigint"
_LATEST = f"-{_MICRO.format('coalesce(greatest(c.end_user_said_at, c.agent_said_at, c.since), c.created_at)')}"
# Whether its consumer waits for an answer stands in the chat's row; since when, in his first line since the last one.
_WAITS = "coalesce(c.end_user_said_at > coalesce(c.agent_said_at, '-infinity'), false)"
_SINCE = f"""
case when {_WAITS} then (
    select min(m.created_at) from messages m
    where m.tenant_id = $1 and m.chat_id = c.chat_id and m.sender = 'end_user'
      and m.created_at > coalesce(c.agent_said_at, '-infinity')) end
"""
# `offset 0` where it is used: the planner would else put the question in each of the ten places that name its answer.
_OWN = "c.tenant_id = $1 and c.agent_id = $2 and c.agent_id is not null and c.ends_at is null"
_ANSWERED = f"{_OWN} and c.end_user_said_at is not null and c.status <> 'dismissed'"
# Each look-up by the whole key (ADR 0013): where few chats were open when statistics were gathered, a plain join reads
# all that are open now, once for each chat of the agent.
_BESIDE = """
from participants p
cross join lateral (select * from chats c where c.tenant_id = $1 and c.chat_id = p.chat_id offset 0) c
where c.ends_at is null and c.agent_id is distinct from $2
  and p.tenant_id = $1 and p.user_id = $2 and p.user_id is not null and p.ended_at is null
"""
_QUEUES = """
from agent_queues q
cross join lateral (
    select * from chats c
    where c.tenant_id = $1 and c.queue_id = q.queue_id and c.status in ('queued', 'resumed', 'transferred') offset 0
) c
where q.tenant_id = $1 and q.agent_id = $2
  and not exists (select from transfers t where t.tenant_id = $1 and t.chat_id = c.chat_id
                                            and t.status = 'transferring' and t.to_agent_id <> $2)
"""
_LISTS: dict[Tab, str] = {
    "mine": f"""
        select c.chat_id, 'owner', s.since, case when s.since is null then 1 else 0 end,
               case when s.since is null then {_LATEST} else {_MICRO.format("s.since")} end
        from chats c cross join lateral (select {_SINCE} as since offset 0) s where {_ANSWERED}
        union all
        select c.chat_id, p.status, null, case p.status when 'monitoring' then 2 else 0 end, {_LATEST} {_BESIDE}
    """,
    "sent": f"""
        select c.chat_id, 'owner', null::timestamptz, 0, -{_MICRO.format("c.created_at")}
        from chats c where {_OWN} and c.end_user_said_at is null
    """,
    "waiting": f"""
        select c.chat_id, 'queue', coalesce(c.since, c.created_at), 0,
               {_MICRO.format("coalesce(c.since, c.created_at)")}
        {_QUEUES}
    """,
    "aside": f"""
        select c.chat_id, 'owner', null::timestamptz, 0, {_LATEST}
        from chats c where {_OWN} and c.status = 'dismissed'
    """,
}
_PICK = """
select chat_id, participation, since, rank, score from ({}) x (chat_id, participation, since, rank, score)
where (rank, score, chat_id) > ($3, $4, $5) and (rank, score, chat_id) <= ($6, $7, $8)
order by rank, score, chat_id limit $9
"""
_READ = f"""
select c.chat_id, c.status, e.number,
       coalesce((select trim(concat_ws(' ', n.first_name, n.last_name)) from end_user_names n
                 where n.tenant_id = $1 and n.end_user_id = coalesce(e.merged_into, e.end_user_id)), ''),
       q.name, coalesce((q.effective ->> 'target_seconds')::int, 0),
       m.sender, m.agent_id, coalesce(concat_ws(' ', a.first_name, a.last_name), ''),
       coalesce(left(m.body, {LAST_WORDS}), ''), m.created_at,
       exists (select from media f where f.tenant_id = $1 and f.chat_id = c.chat_id and f.message_id = m.message_id),
       u.unread, o.state, t.kind, t.to_agent_id, coalesce(d.draft || d.note_draft, '') <> ''
from unnest($3::bigint[]) with ordinality w (chat_id, place)
join chats c on c.tenant_id = $1 and c.chat_id = w.chat_id
join end_users e on e.tenant_id = $1 and e.end_user_id = c.end_user_id
left join queues q on q.tenant_id = $1 and q.queue_id = c.queue_id
left join transfers t on t.tenant_id = $1 and t.chat_id = c.chat_id and t.status = 'transferring'
left join desk_chats d on d.tenant_id = $1 and d.chat_id = c.chat_id and d.agent_id = $2
left join lateral (
    select m.message_id, m.sender, m.agent_id, m.created_at,
           shown_body($1, m.chat_id, m.message_id, m.body) as body
    from messages m where m.tenant_id = $1 and m.chat_id = c.chat_id
    -- What the system says by itself tells an agent nothing, nor what somebody chose from a menu.
    order by m.sender = 'system', {CHOICE}, m.created_at desc, m.message_id desc limit 1
) m on true
left join lateral (
    select coalesce(m.state, x.state) as state from messages m
    left join lateral (
        select x.state from texts x where x.tenant_id = $1 and x.message_id = m.message_id offset 0
    ) x on true
    where m.tenant_id = $1 and m.chat_id = c.chat_id and m.sender not in ('end_user', 'note')
    order by m.created_at desc, m.message_id desc limit 1
) o on true
cross join lateral (
    select count(*) as unread from messages m
    where m.tenant_id = $1 and m.chat_id = c.chat_id and m.sender = 'end_user'
      and m.created_at > coalesce(greatest(c.agent_said_at, d.read_at), '-infinity')
) u
left join agents a on a.tenant_id = $1 and a.agent_id = m.agent_id
order by w.place
"""
_COUNT = f"""
select (select count(*) from chats c where {_ANSWERED}) + (select count(*) {_BESIDE}),
       (select count(*) from chats c where {_OWN} and c.end_user_said_at is null),
       (select count(*) from (select {_QUEUES} limit {MOST_COUNTED}) x),
       (select count(*) from chats c where {_OWN} and c.status = 'dismissed' and c.end_user_said_at is not null),
       (select count(*) from chats c
        left join desk_chats d on d.tenant_id = $1 and d.chat_id = c.chat_id and d.agent_id = $2
        where {_ANSWERED} and c.end_user_said_at > coalesce(greatest(c.agent_said_at, d.read_at), '-infinity'))
"""


async def list_lines(conn: Connection, tenant_id: int, agent_id: int, tab: Tab, part: Part) -> list[Line]:
    """A stretch of one of an agent's lists, in its order."""
    after, until = part.after, part.until
    picked = await conn.fetch(
        _PICK.format(_LISTS[tab]), tenant_id, agent_id, after.rank, after.score, after.chat_id,
        until.rank, until.score, until.chat_id, part.limit,
    )  # fmt: skip
    if not picked:
        return []
    rows = await conn.fetch(_READ, tenant_id, agent_id, [row["chat_id"] for row in picked])
    return [_line(tuple(first), tuple(row)) for first, row in zip(picked, rows, strict=True)]


def _line(first: tuple[Any, ...], row: Sequence[Any]) -> Line:
    chat_id, participation, since, rank, score = first
    _, status, number, name, queue_name, target, *more = row
    return Line(
        Key(rank, score, chat_id), chat_id, status, participation, number, name, queue_name, target, since, *more
    )


async def count_lines(conn: Connection, tenant_id: int, agent_id: int) -> Counts:
    """How long an agent's lists are."""
    (row,) = await conn.fetch(_COUNT, tenant_id, agent_id)
    return Counts(*row)
