"""What would become of a text that was just accepted, for a dry run to tell before it takes the text back."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.pace import Limit
from smsdesk.domain.price import SegmentPrice
from smsdesk.store.db import Connection

_FORECAST = """
select c.name as carrier, own.name as own_carrier, n.current_why, c.currency,
       price_of(t.tenant_id, c.carrier_id, t.destination) as price, t.on_doubt, t.valid_until,
       array(select row(l.scope, l.name, l.segments, l.seconds) from limits l
             where l.tenant_id = t.tenant_id
               and (l.scope, l.name) in (('number', n.number), ('campaign', n.campaign), ('brand', n.brand),
                                         ('carrier', c.name), ('tenant', ''))
             order by l.seconds, l.scope) as limits
from texts t
join numbers n on n.tenant_id = t.tenant_id and n.number = t.source
join carriers c on c.tenant_id = t.tenant_id and c.carrier_id = t.carrier_id
join carriers own on own.tenant_id = t.tenant_id and own.carrier_id = n.carrier_id
where t.tenant_id = $1 and t.message_id = $2
"""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a queued text would go, what it would cost, and what would hold it back."""

    carrier: str
    own_carrier: str
    """That of its number; another one than `carrier` while it is left."""
    left_why: str | None
    """Why it is left, as the router saw it."""
    price: SegmentPrice | None
    """None where the carrier has no rate for the phone."""
    limits: tuple[Limit, ...]
    """Those that it falls under, the shortest first."""
    on_doubt: str
    valid_until: datetime


async def read_forecast(conn: Connection, tenant_id: int, message_id: int) -> Forecast:
    """The forecast for a text in the queue, in the transaction that wrote it."""
    row = await conn.fetchrow(_FORECAST, tenant_id, message_id)
    assert row is not None, "the text was accepted in this transaction"
    return Forecast(
        row["carrier"],
        row["own_carrier"],
        row["current_why"],
        None if row["price"] is None else SegmentPrice(row["price"], row["currency"]),
        tuple(Limit(*limit) for limit in row["limits"]),
        row["on_doubt"],
        row["valid_until"],
    )
