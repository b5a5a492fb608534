"""Who has what, read from the rows by rules that are written down here once more: no code judges itself."""

from collections import Counter
from dataclasses import dataclass, field

from smsdesk.bench.rig import Rig


@dataclass(frozen=True, slots=True)
class Typed:
    """What a consumer typed at his phone, and whether the network has handed it over."""

    phone: str
    body: str
    taken: bool


@dataclass(slots=True)
class Findings:
    """What is there, and what is wrong with it."""

    replies: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unowned: list[str] = field(default_factory=list)
    two_owners: list[str] = field(default_factory=list)
    chats: dict[str, int] = field(default_factory=dict)
    offers: int = 0
    transfers: int = 0


_SAID = """
select e.number, m.body, count(*) from messages m
join chats c using (tenant_id, chat_id) join end_users e using (tenant_id, end_user_id)
where m.sender = 'end_user' group by 1, 2
"""

# An open chat whose consumer has written is with an agent who works here, in a queue that is there, set aside until he
# writes again, or in a menu that was sent to him.
_UNOWNED = """
select c.chat_id, c.status, c.agent_id, c.queue_id from chats c
left join agents a using (tenant_id, agent_id) left join queues q using (tenant_id, queue_id)
where c.ends_at is null
  and exists (
      select from messages m where m.tenant_id = c.tenant_id and m.chat_id = c.chat_id and m.sender = 'end_user')
  and not coalesce(
      case c.status
          when 'assigned' then a.disabled_at is null and a.agent_id is not null
          when 'ongoing' then a.disabled_at is null and a.agent_id is not null
          when 'dismissed' then true
          when 'selecting' then exists (select from messages m where m.tenant_id = c.tenant_id and m.chat_id = c.chat_id
                                                                 and m.sender = 'system')
          else q.queue_id is not null and q.deleted_at is null
               and exists (select from agent_queues p where p.tenant_id = c.tenant_id and p.queue_id = q.queue_id)
      end, false)
"""

_OWNERS = """
select c.chat_id, c.agent_id, array_agg(p.user_id) from chats c
left join participants p on p.tenant_id = c.tenant_id and p.chat_id = c.chat_id and p.type = 'agent'
                        and p.role = 'agent' and p.status = 'connected'
where c.ends_at is null group by c.tenant_id, c.chat_id, c.agent_id
having array_agg(p.user_id) <> array[c.agent_id]
   and not (c.agent_id is null and array_agg(p.user_id) = array[null::bigint])
"""

# Whose a chat was at a moment stands in its spans, and since the last of them in its own row.
_STRANGERS = """
select m.chat_id, m.agent_id from messages m join chats c using (tenant_id, chat_id)
where m.sender = 'agent' and not exists (
    select from spans s where s.tenant_id = m.tenant_id and s.chat_id = m.chat_id and s.agent_id = m.agent_id
        and m.created_at between s.started_at and s.ended_at
) and not coalesce(c.agent_id = m.agent_id and m.created_at >= coalesce(c.since, c.created_at), false)
"""


async def find_faults(rig: Rig, typed: list[Typed]) -> Findings:
    """Holds what was typed against what is stored, and each open chat against the rules."""
    wanted = Counter((one.phone, one.body) for one in typed)
    stored = Counter({(row[0], row[1]): row[2] for row in await rig.rows(_SAID)})
    found = Findings(replies=len(typed))
    found.lost = [f"{number}: {body!r} {count} times" for (number, body), count in (wanted - stored).items()]
    found.doubled = [f"{number}: {body!r} {count} times" for (number, body), count in (stored - wanted).items()]
    found.unowned = [
        f"chat {chat_id} is {status}, agent {agent_id}, queue {queue_id}"
        for chat_id, status, agent_id, queue_id in await rig.rows(_UNOWNED)
    ]
    found.two_owners = [f"chat {row[0]} is agent {row[1]}'s, and in it are {row[2]}" for row in await rig.rows(_OWNERS)]
    found.two_owners += [f"chat {row[0]} was answered by agent {row[1]}" for row in await rig.rows(_STRANGERS)]
    found.chats = {str(row[0]): row[1] for row in await rig.rows("select status, count(*) from chats group by 1")}
    ((found.offers, found.transfers),) = await rig.rows(
        "select (select count(*) from offers), (select count(*) from transfers)"
    )
    return found
