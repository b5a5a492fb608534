"""What a tenant's texts cost, summed from what left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from smsdesk.errors import Problem
from smsdesk.store.db import Connection

Grouping: TypeAlias = Literal["day", "carrier", "number"]

_GROUPS: Mapping[Grouping, str] = {
    "day": "to_char(u.day, 'YYYY-MM-DD')",
    "carrier": "coalesce(c.name, 'deleted carrier ' || u.carrier_id)",
    "number": "u.source",
}

_COSTS = """
select {group}, nullif(u.currency, ''), sum(u.texts)::bigint, sum(u.segments)::bigint,
       case when u.currency <> '' then trim_scale(sum(u.price)) end
from usage u left join carriers c on c.tenant_id = u.tenant_id and c.carrier_id = u.carrier_id
where u.tenant_id = $1 and u.day between $2 and $3
group by 1, u.currency
"""


DEFAULT_DAYS = 30
"""Before the last day, where nobody says from when."""


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last, both counted, as UTC has them."""

    first: date
    last: date

    @classmethod
    def wanted(cls, first: date | None, last: date | None, today: date) -> "Days":
        """The days that somebody asks for, to today where he does not say. Raises Problem where they run backwards."""
        last = last or today
        first = first or last - timedelta(days=min(DEFAULT_DAYS, (last - date.min).days))
        if first > last:
            raise Problem("parameter_invalid", f"from ({first}) must not be after to ({last})")
        return cls(first, last)


@dataclass(frozen=True, slots=True)
class Cost:
    """What left under one day, carrier or number of ours, in one currency. None where there was no rate for it."""

    group: str
    currency: str | None
    texts: int
    segments: int
    price: Decimal | None


async def list_costs(
    conn: Connection, tenant_id: int, days: Days, by: Grouping, limit: int | None = None, offset: int = 0
) -> list[Cost]:
    """The sums of a tenant in the order of their groups, and of each group in that of the currencies."""
    rows = await conn.fetch(
        f"{_COSTS.format(group=_GROUPS[by])} order by 1, 2 nulls last limit $4 offset $5",
        tenant_id,
        days.first,
        days.last,
        limit,
        offset,
    )
    return [Cost(*row) for row in rows]


async def count_costs(conn: Connection, tenant_id: int, days: Days, by: Grouping) -> int:
    """How many sums there are."""
    count: int = await conn.fetchval(
        f"select count(*) from ({_COSTS.format(group=_GROUPS[by])}) sums", tenant_id, days.first, days.last
    )
    return count
