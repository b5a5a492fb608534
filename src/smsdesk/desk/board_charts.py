"""The day so far as charts."""

from datetime import datetime

from smsdesk.desk.charts import Chart, Series, line_chart, stacked_bars
from smsdesk.desk.figures import quarters
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.outcome import REASONS
from smsdesk.store.board_texts import Quarter, list_quarters, list_waits
from smsdesk.store.db import Connection

MARKS = 6
"""Stretches of the axis of a day, between its marks."""


async def read_day(
    conn: Connection, tenant_id: int, since: datetime, now: datetime
) -> tuple[list[Quarter], list[tuple[datetime, int]]]:
    """What was said in each quarter of an hour since then, and how many waited at its beginning."""
    return await list_quarters(conn, tenant_id, since, now), await list_waits(conn, tenant_id, since, now)


def charts_of(
    visitor: Visitor, said: list[Quarter], waits: list[tuple[datetime, int]], now: datetime
) -> tuple[Chart, Chart]:
    """Texts by quarter of an hour, and chats that waited."""
    words = visitor.words
    starts = quarters(now.astimezone(visitor.zone).date(), visitor.zone)
    places = tuple(words.clock(at, visitor.zone) for at in starts)
    every = len(starts) // MARKS
    marks = (*(places[step * every] for step in range(MARKS)), words.clock(starts[0], visitor.zone))
    by_time = {one.at: one for one in said}
    texts = stacked_bars(
        Chart(
            "texts", words.say("Texts by quarter of an hour"),
            words.say("What consumers wrote, what we wrote, and what of it did not arrive, today."),
            (
                Series(words.say("Outgoing"), "out", _values(starts, by_time, now, "outgoing")),
                Series(words.say("Incoming"), "in", _values(starts, by_time, now, "incoming")),
                Series(words.say("Failed"), "bad", _values(starts, by_time, now, "failed")),
            ),
            places, marks,
        )
    )  # fmt: skip
    waited = dict(waits)
    waiting = line_chart(
        Chart(
            "waiting", words.say("Chats that waited for an agent"),
            words.say("How many chats waited at the beginning of each quarter of an hour, today."),
            (Series(words.say("Waiting"), "wait", [waited.get(at) if at <= now else None for at in starts]),),
            places, marks,
        )
    )  # fmt: skip
    return texts, waiting


def reason_word(visitor: Visitor, reason: str) -> str:
    """Why a text failed, as people read it."""
    return visitor.words.say(REASONS.get(reason, REASONS["unknown_error"]))


def _values(starts: list[datetime], by_time: dict[datetime, Quarter], now: datetime, name: str) -> list[float | None]:
    return [getattr(by_time[at], name) if at in by_time else (0 if at <= now else None) for at in starts]
