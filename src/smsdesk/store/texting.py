"""Whether a consumer may be texted from a number of ours now, what a segment costs, and where he is: for whoever is
about to write to him."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.consent import Scope
from smsdesk.domain.price import SegmentPrice
from smsdesk.store.consent_holds import Hold
from smsdesk.store.db import Connection


@dataclass(frozen=True, slots=True)
class OptOut:
    """What keeps us from texting him: since when, who said so, and for which of our numbers."""

    at: datetime
    source: str
    """`text`, `api`, `agent`, `file` or `carrier`."""
    scope: Scope


@dataclass(frozen=True, slots=True)
class Texting:
    """What decides about a text between two numbers."""

    opt_out: OptOut | None
    hold: Hold | None
    """The reply of which a person has yet to say whether it was a revocation."""
    blocked: bool
    price: SegmentPrice | None
    """None where the number's carrier has no rate for his, or the number is not ours."""
    time_zone: str | None
    """His, where it is known."""
    wrote_at: datetime | None = None


async def read_texting(conn: Connection, tenant_id: int, our_number: str, number: str) -> Texting:
    """How things stand between our number and his."""
    row = await conn.fetchrow(
        """
        select exists (select from blocked_numbers b where b.tenant_id = $1 and b.number = $2),
               price_of($1, c.carrier_id, $2), c.currency,
               (select e.time_zone from end_users e where e.tenant_id = $1 and e.number = $2 and e.number > ''),
               (select row(o.at, o.source, o.scope, o.scope_of) from opt_outs_between($1, $2, $3) o
                order by o.at limit 1),
               (select row(h.hold_id, h.number, h.source, h.at, h.chat_id, h.message_id, h.words, h.reason,
                           h.decided_at, h.decision, h.decided_by)
                from hold_between($1, $2, $3) h limit 1)
        from (values (1)) one
        left join numbers n on n.tenant_id = $1 and n.number = $3
        left join carriers c on c.tenant_id = $1 and c.carrier_id = coalesce(n.current_carrier_id, n.carrier_id)
        """,
        tenant_id, number, our_number,
    )  # fmt: skip
    assert row is not None, "there is always one"
    blocked, amount, currency, zone, out, hold = row
    price = None if amount is None or currency is None else SegmentPrice(amount, currency)
    return Texting(
        None if out is None else OptOut(out[0], out[1], Scope(out[2], out[3])),
        None if hold is None else Hold(*hold), blocked, price, zone,
    )  # fmt: skip


async def read_names(conn: Connection, tenant_id: int, end_user_id: int) -> tuple[str, str]:
    """First and last name of a consumer, or of whom he was merged into; empty where nobody knows."""
    row = await conn.fetchrow(
        """
        select coalesce(d.first_name, ''), coalesce(d.last_name, '')
        from end_users e
        join end_user_names d on d.tenant_id = $1 and d.end_user_id = coalesce(e.merged_into, e.end_user_id)
        where e.tenant_id = $1 and e.end_user_id = $2
        """,
        tenant_id, end_user_id,
    )  # fmt: skip
    return (row[0], row[1]) if row else ("", "")
