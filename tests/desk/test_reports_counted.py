"""A report against the same history counted another way: over the day that the clocks skip an hour."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from tests.desk.history import History
from tests.kit.desk import DeskKit

ZONE = ZoneInfo("America/New_York")
FIRST, LAST = datetime(2026, 3, 6, tzinfo=ZONE), datetime(2026, 3, 11, tzinfo=ZONE)


@dataclass
class Told:
    """A chat as its history was told."""

    begun: datetime
    wait: float | None
    first_answer: float | None
    length: float | None
    abandoned: bool
    texts: list[datetime]


async def tell(history: History, chance: random.Random, begun: datetime) -> Told:
    """A chat that somebody takes, or nobody; that is answered once, twice or not at all; that ends, or not."""
    now = history.desk.clock.now
    ago = (now - begun).total_seconds()
    wait, answer, length = chance.randint(1, 900), chance.randint(1, 600), chance.randint(700, 4000)
    taken, ended, answers = chance.random() < 0.7, chance.random() < 0.8, chance.randint(0, 2)
    if not taken:
        chat = await history.chat(queued=ago, ended=ago - wait if ended else None)
        await history.says(chat, "end_user", "hello", ago)
        return Told(begun, None, None, None, ended, [])
    end = ago - wait - length if ended else None
    chat = await history.chat(queued=ago, taken=ago - wait, ended=end, agent=1)
    await history.says(chat, "end_user", "hello", ago)
    spoken = [begun + timedelta(seconds=wait + answer + 10 * turn) for turn in range(answers)]
    for at in spoken:
        await history.text(chat, "delivered", None, (now - at).total_seconds(), 1)
    said = float(wait + answer) if answers else None
    return Told(begun, wait, said, length if ended else None, False, spoken)


def counted(chats: Iterable[Told]) -> dict[str, tuple[float | None, ...]]:
    """What a person with a pencil comes to: a chat by when it began, a text by when it was written."""
    days: dict[str, list[Told]] = {}
    texts: Counter[str] = Counter()
    for chat in chats:
        if FIRST <= chat.begun < LAST:
            days.setdefault(day_of(chat.begun), []).append(chat)
        texts.update(map(day_of, chat.texts))
    return {day: (len(mine), sum(one.wait is not None for one in mine), sum(one.abandoned for one in mine),
                  texts[day], *(half(getattr(one, name) for one in mine)
                  for name in ("wait", "first_answer", "length"))) for day, mine in days.items()}  # fmt: skip


def day_of(at: datetime) -> str:
    return at.astimezone(ZONE).date().isoformat()


def half(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


async def test_days_over_the_lost_hour_come_to_what_was_told(desk: DeskKit) -> None:
    chance = random.Random(20260308)
    desk.clock.forward(days=12)
    history = await History(desk).begin()
    edges = [moment.astimezone(UTC) for day in range(6, 12) for moment in _around(day)]
    times = [*edges, *(FIRST.astimezone(UTC) + timedelta(seconds=chance.randint(-80_000, 510_000)) for _ in range(60))]
    told = [await tell(history, chance, begun) for begun in times]
    supervisor = await desk.person("supervisor")
    supervisor.cookie += "; smsdesk_zone=America/New_York"
    answer = await supervisor.get("/desk/reports.csv?first=2026-03-06&last=2026-03-10")
    rows = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    columns = ("Chats", "Had an agent", "Abandoned", "Texts", "Wait, median (s)", "First answer, median (s)",
               "Length, median (s)")  # fmt: skip
    found = {row["Day"]: tuple(float(row[name]) if row[name] else None for name in columns) for row in rows}
    assert found == counted(told)
    assert "2026-03-08" in found


def _around(day: int) -> tuple[datetime, datetime]:
    """The last second before a day begins, and its first."""
    begins = datetime(2026, 3, day, tzinfo=ZONE)
    return (begins.astimezone(UTC) - timedelta(seconds=1)), begins
