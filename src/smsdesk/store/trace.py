"""Reads the trace of a text: all of its rows, wherever they are."""

from typing import Any

from smsdesk.domain.trace import Consent, Move, Settled, Trace, TracedPart
from smsdesk.store.db import Connection

# One statement, so that all of it is of one moment. A message is kept under its chat: the row in flight knows that, and
# so does the ledger; a text that ended before its first attempt has neither, and is looked for among the tenant's.
_TRACE = """
select m.message_id, m.chat_id, m.sender, k.name, a.email, coalesce(t.source, c.outbound_number),
    coalesce(t.destination, e.number), shown_body($1, m.chat_id, m.message_id, m.body),
    m.encoding, m.parts::int, m.created_at,
    coalesce(t.on_doubt, m.on_doubt, 'hold'), t.valid_until, m.price, m.currency,
    coalesce(m.state, t.state), coalesce(m.reason, t.reason), coalesce(m.code, t.code),
    coalesce(m.ended_at, t.state_at), m.state is not null,
    array(
        select row(p.attempt::int, p.part::int, coalesce(l.name, '(deleted)'), p.state, p.carrier_part_id, p.code,
                   p.claimed_at, p.state_at)
        from parts p left join carriers l on l.tenant_id = p.tenant_id and l.carrier_id = p.carrier_id
        where p.tenant_id = $1 and p.message_id = $2 order by p.attempt, p.part
    ),
    array(
        select row(v.at, coalesce(f.name, '(deleted)'), coalesce(o.name, '(deleted)'), v.why)
        from moves v
        left join carriers f on f.tenant_id = v.tenant_id and f.carrier_id = v.from_carrier_id
        left join carriers o on o.tenant_id = v.tenant_id and o.carrier_id = v.to_carrier_id
        where v.tenant_id = $1 and v.message_id = $2 order by v.at
    ),
    array(
        select row(s.attempt::int, s.at, s.verdict, s.settled_by)
        from settlements s where s.tenant_id = $1 and s.message_id = $2 order by s.attempt
    ),
    array(
        select row(h.at, h.kind, h.source, h.words)
        from consent_history h
        where h.tenant_id = $1 and h.number = coalesce(t.destination, e.number)
          and h.at <= coalesce(m.ended_at, 'infinity')
        order by h.at, h.event_id
    )
from messages m
join chats c on c.tenant_id = m.tenant_id and c.chat_id = m.chat_id
join end_users e on e.tenant_id = c.tenant_id and e.end_user_id = c.end_user_id
left join lateral (
    select * from texts t where t.tenant_id = m.tenant_id and t.message_id = m.message_id offset 0
) t on true
left join credentials k on k.tenant_id = m.tenant_id and k.credential_id = m.credential_id
left join agents a on a.tenant_id = m.tenant_id and a.agent_id = m.agent_id
where m.tenant_id = $1 and m.message_id = $2 and m.sender not in ('end_user', 'note')
  and m.chat_id = coalesce(
      (select f.chat_id from texts f where f.tenant_id = $1 and f.message_id = $2),
      (select p.chat_id from parts p where p.tenant_id = $1 and p.message_id = $2 limit 1),
      (select n.chat_id from messages n where n.tenant_id = $1 and n.message_id = $2)
  )
"""


async def find_trace(conn: Connection, tenant_id: int, message_id: int) -> Trace | None:
    """The trace of a text of ours; None where the tenant has no such text."""
    row = await conn.fetchrow(_TRACE, tenant_id, message_id)
    if row is None:
        return None
    *text, ledger, moves, settlements, consent = row.values()
    groups: list[Any] = [
        tuple(kind(*one) for one in rows)
        for kind, rows in ((TracedPart, ledger), (Move, moves), (Settled, settlements), (Consent, consent))
    ]
    return Trace(*text, *groups)
