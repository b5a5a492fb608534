"""A year of chats, made by arithmetic from a seed: when each began, whose it is, who had it, and how fast it went.

Every third chat is of a consumer who was there before: ten of eleven of these a month earlier, the others are regulars.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from smsdesk.domain.periods import began_at, first_id, period_of
from smsdesk.domain.phone import read_number

PLACES = 16
"""Ids of a chat: itself 0, its first message 1, its consumer's part 2, its agent's 3, the consumer 4, the offer 5, and
its other messages from 6 on."""
SPACE = 2_299_999_973
"""A prime: numbers are taken from so many in an order without order, each once."""
STRIDE = 1_618_033_987
OF_AREA = 8_000_000


@dataclass(frozen=True, slots=True)
class Month:
    """The chats of a period: from number `first` until `last`, the latter not counted. The first has the id `base`."""

    period: int
    first: int
    last: int
    base: int


@dataclass(frozen=True, slots=True)
class Year:
    """So many chats from a moment on, one each `step`: all of them have ended before `until`."""

    chats: int
    seed: int
    began: datetime
    until: datetime

    @property
    def step(self) -> float:
        """Microseconds between two chats."""
        return (self.until - self.began) / timedelta(microseconds=1) / self.chats

    @property
    def months(self) -> tuple[Month, ...]:
        """The periods and their chats; an id tells the period of its chat's beginning (`domain/periods.py`)."""
        found, first = [], 0
        for period in range(period_of(self.began), period_of(self.until) + 1):
            next_begins = (began_at(period + 1) - self.began) / timedelta(microseconds=1)
            last = min(self.chats, max(first, -int(-next_begins // self.step)))
            if last > first:
                found.append(Month(period, first, last, first_id(period) + 1000))
            first = last
        return tuple(found)

    @property
    def next_id(self) -> int:
        """The first id behind all of them, as the sequence of blocks hands them out."""
        month = self.months[-1]
        return month.base + ((month.last - month.first) * PLACES // 1000 + 1) * 1000


def year_before(now: datetime, chats: int, seed: int) -> Year:
    """The year that ended three days ago: nothing of it is open any more."""
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
    return Year(chats, seed, until - timedelta(days=365), until)


@cache
def areas() -> tuple[int, ...]:
    """The US areas in which a tenant may send to every number."""
    lines = [f"{exchange}0100" for exchange in range(200, 1000)]
    found = tuple(
        area for area in range(201, 1000) if all(isinstance(read_number(f"+1{area}{line}"), str) for line in lines)
    )
    assert len(found) * OF_AREA >= SPACE
    return found


def phone(n: int, seed: int) -> str:
    """The phone of the consumer whose first chat is number n; the same as `plan_month` gives him."""
    place = (n * STRIDE + seed) % SPACE
    return f"+1{areas()[place // OF_AREA]}{2_000_000 + place % OF_AREA}"


def plan_month(year: Year, month: Month) -> str:
    """The chats of a month into `history_plan`: when, whose, with whom, and how fast they went. Parameters: our numbers
    with their queues, and the agents."""
    one = "hashint8extended(n, {}) & 2147483647"
    each = {name: f"({one.format(year.seed * 16 + salt)})" for salt, name in enumerate(
        ("way", "fate", "queue", "agent", "asked", "wait", "pace", "lasts"))}  # fmt: skip
    back, apart = max(1, year.chats // 36), max(1, year.chats // 300)
    former = f"""case when n % 30 = 29 and n / 30 >= {apart} then n - {30 * apart}
                      when n % 3 = 2 and n % 30 <> 29 and n / 3 >= {back} then 3 * (n / 3 - {back}) end"""
    origin = f"""case when n % 30 = 29 then n / 30 % {apart} * 30 + 29
                      when n % 3 = 2 and n % 30 <> 29 and n / 3 >= {back} then 3 * (n / 3 - {back}) else n end"""
    place = f"((origin * {STRIDE} + {year.seed}) % {SPACE})"
    return f"""
    insert into history_plan
    select n, {_id(year, "n")}, timestamptz '{year.began.isoformat()}' + n * interval '{year.step:.6f} microseconds',
           way, {_id(year, "origin")} + 4, origin = n,
           '+1' || ('{{{",".join(map(str, areas()))}}}'::int[])[1 + {place} / {OF_AREA}]
                || (2000000 + {place} % {OF_AREA}),
           {_id(year, "former")}, ($1::text[])[1 + queue], ($2::bigint[])[1 + queue],
           ($3::bigint[])[1 + agent % cardinality($3::bigint[])],
           case when way = 1 then 300 + asked % 14100 else 0 end, 5 + wait % 116, 20 + pace % 181,
           case when way = 0 then 86400 + lasts % 60 end, way = 0 and fate % 50 = 0
    from (
        select n, case when way % 100 < 65 then 0 when way % 100 < 85 then 1 else 2 end as way, fate,
               (queue % cardinality($1::text[]))::int as queue, agent, asked, wait, pace, lasts, origin, former
        from (select n, {", ".join(f"{value} as {name}" for name, value in each.items())},
                     {origin} as origin, {former} as former
              from generate_series({month.first}::bigint, {month.last - 1}) n offset 0) x offset 0
    ) y
    """  # noqa: S608 - of constants


def _id(year: Year, n: str) -> str:
    """The id of the chat with this number."""
    whens = [
        f"when {n} < {month.last} then {month.base} + ({n} - {month.first}) * {PLACES}" for month in year.months
    ]  # fmt: skip
    return f"(case {' '.join(whens)} end)"
