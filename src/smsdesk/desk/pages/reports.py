"""Reports: what chats and texts of a time come to, as a page and as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from smsdesk.desk.figures import BOM, csv_line, duration, midnight
from smsdesk.desk.render import page
from smsdesk.desk.report_columns import VIEWS, Column, Value, columns
from smsdesk.desk.services import Desk
from smsdesk.desk.supervision import supervising
from smsdesk.desk.visitor import Visitor
from smsdesk.store.agent_lists import AgentFilter, list_agents
from smsdesk.store.chats import find_queues
from smsdesk.store.reports import Figures, Grouping, Period, Report, read_report

SUPERVISE = {"right": "supervise"}
A_WHILE = timedelta(seconds=30)
"""How old a report may be: whoever sorts it by another column asks for the same one."""
LONGEST = timedelta(days=3 * 366)
MOST_LINES = 400
"""On a page; the file has all."""
MOST_AGENTS = 10_000
SEARCHED = {"queue": "queue", "agent": "agent", "number": "ours"}
"""Grouping to the field of the search."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a report is to show, as an address says it."""

    first: date
    last: date
    by: Grouping
    view: str
    sort: str
    up: bool

    def address(self, path: str = "/desk/reports", **other: str) -> str:
        """The address of this report with other fields."""
        fields = {
            "first": self.first.isoformat(), "last": self.last.isoformat(), "by": self.by, "view": self.view,
            "sort": self.sort, "up": "1" if self.up else "", **other,
        }  # fmt: skip
        return f"{path}?{urlencode({name: value for name, value in fields.items() if value})}"


@dataclass(frozen=True, slots=True)
class Line:
    """A group of the report under its name."""

    key: str
    name: str
    figures: Figures


@get("/desk/reports", opt=SUPERVISE)
async def show(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """The report as a table, with what each column means."""
    today = desk.clock().astimezone(visitor.zone).date()
    wish = _wish(request.query_params, today)
    report = await _read(desk, visitor, wish)
    lines = _sorted(await _named(desk, visitor, wish, report), wish, columns(visitor.words))
    return page(
        visitor, "reports.html", here="/desk/reports", wish=wish, lines=lines[:MOST_LINES], hidden=lines[MOST_LINES:],
        total=report.total, shown=[one for one in columns(visitor.words) if one.view == wish.view],
        dispositions=report.dispositions, presets=_presets(visitor, today), groupings=_groupings(visitor),
        views=_views(visitor), cell=partial(_cell, visitor), link=partial(_link, wish),
    )  # fmt: skip


@get("/desk/reports.csv", opt=SUPERVISE)
async def download(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Stream:
    """All columns and all lines of the report, as a file for spreadsheets: times in seconds, a column a currency."""
    wish = _wish(request.query_params, desk.clock().astimezone(visitor.zone).date())
    report = await _read(desk, visitor, wish)
    lines = _sorted(await _named(desk, visitor, wish, report), wish, columns(visitor.words))
    name = f"smsdesk-{wish.by}-{wish.first}-{wish.last}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    heading = _groupings(visitor)[wish.by]
    return Stream(
        _file(wish.by, heading, lines, columns(visitor.words), report.total),
        media_type="text/csv",
        headers=headers,
    )


def _wish(query: Any, today: date) -> Wish:
    first, last = _day(query.get("first"), today - timedelta(days=6)), _day(query.get("last"), today)
    first, last = min(first, last), max(first, last)
    by = query.get("by", "day")
    view, sort = query.get("view", "chats"), query.get("sort", "")
    return Wish(
        max(first, last - LONGEST), last, by if by in get_args(Grouping) else "day",
        view if view in VIEWS else "chats", str(sort)[:40], query.get("up") == "1",
    )  # fmt: skip


def _day(raw: str | None, otherwise: date) -> date:
    try:
        day = date.fromisoformat(raw or "")
    except ValueError:
        return otherwise
    return day if 2000 <= day.year < 9000 else otherwise


async def _read(desk: Desk, visitor: Visitor, wish: Wish) -> Report:
    async with supervising(desk, visitor):
        pass
    zone = visitor.zone
    until = midnight(wish.last + timedelta(days=1), zone)
    period = Period(midnight(wish.first, zone), until, zone.key)
    read = partial(read_report, desk.db, visitor.tenant_id, period, wish.by)
    return await desk.memo.get((visitor.tenant_id, "report", period, wish.by), desk.clock(), A_WHILE, read)


async def _named(desk: Desk, visitor: Visitor, wish: Wish, report: Report) -> list[Line]:
    say, names = visitor.words.say, {}
    async with desk.db.connection() as conn:
        if wish.by == "queue":
            found = await find_queues(conn, visitor.tenant_id, {int(key) for key in report.groups if key})
            names = {str(queue_id): " / ".join(queue.path_names) for queue_id, queue in found.items()}
        elif wish.by == "agent":
            agents = await list_agents(conn, visitor.tenant_id, AgentFilter(), MOST_AGENTS, 0)
            names = {str(one.agent.agent_id): one.agent.name or one.agent.email for one in agents}
    without = {"queue": say("Without a queue"), "agent": say("Without an agent")}
    named = {key: names.get(key) or (key if key else without.get(wish.by, "–")) for key in report.groups}
    if wish.by == "day":
        named = {key: visitor.words.day(_noon(key, visitor), visitor.zone) for key in report.groups}
    return [Line(key, named[key], figures) for key, figures in report.groups.items()]


def _noon(day: str, visitor: Visitor) -> datetime:
    return midnight(date.fromisoformat(day), visitor.zone) + timedelta(hours=12)


def _sorted(lines: list[Line], wish: Wish, all_of_them: list[Column]) -> list[Line]:
    """By the column that was asked for; else days in their order, and of all others those with the most chats first."""
    column = next((one for one in all_of_them if one.name == wish.sort), None)
    by_name = sorted(lines, key=lambda line: line.key if wish.by == "day" else line.name)
    if column is not None:
        return sorted(by_name, key=lambda line: column.order(line.figures), reverse=not wish.up)
    if wish.by == "day":
        return by_name
    return sorted(by_name, key=lambda line: (-line.figures.chats.opened, -line.figures.texts.texts))


def _cell(visitor: Visitor, column: Column, figures: Figures) -> str:
    value = column.value(figures)
    if value is None or value == {}:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{visitor.words.number(round(price, 2))} {name}" for name, price in sorted(value.items()))
    assert isinstance(value, int | float), "money alone is by currency"
    if column.kind == "duration":
        return duration(value)
    if column.kind == "share":
        return visitor.words.percent(value)
    return visitor.words.number(round(value, 2) if column.kind == "rating" else value)


def _link(wish: Wish, column: Column, line: Line | None) -> str | None:
    """Where the chats of a figure are: only where the search counts the same ones."""
    if column.search is None or (line is not None and (wish.by == "type" or (wish.by in SEARCHED and not line.key))):
        return None
    fields = {"first": wish.first.isoformat(), "last": wish.last.isoformat(), **column.search}
    if line is not None and wish.by == "day":
        fields |= {"first": line.key, "last": line.key}
    elif line is not None:
        fields[SEARCHED[wish.by]] = line.key
    return f"/desk/search?{urlencode(fields)}"


def _file(by: str, heading: str, lines: list[Line], all_of_them: list[Column], total: Figures) -> Iterator[str]:
    currencies = sorted(total.texts.costs)
    plain = [one for one in all_of_them if one.kind != "money" and one.name != "waited"]
    yield BOM + csv_line([heading, *(_headed(one) for one in plain), *currencies])
    for line in lines:
        costs = [line.figures.texts.costs.get(currency, Decimal(0)) for currency in currencies]
        yield csv_line(
            [
                line.key if by == "day" else line.name,
                *(_plain(one.value(line.figures)) for one in plain),
                *map(float, costs),
            ]
        )


def _headed(column: Column) -> str:
    return f"{column.heading} (s)" if column.kind == "duration" else column.heading


def _plain(value: Value) -> float | None:
    assert not isinstance(value, dict), "money is by currency"
    return round(value, 4) if isinstance(value, float) else value  # type: ignore[return-value]


def _presets(visitor: Visitor, today: date) -> list[tuple[str, str, str]]:
    say, day = visitor.words.say, timedelta(days=1)
    month = today.replace(day=1)
    spans = [
        (say("Today"), today, today), (say("Yesterday"), today - day, today - day),
        (say("7 days"), today - 6 * day, today), (say("30 days"), today - 29 * day, today),
        (say("This month"), month, today), (say("Last month"), (month - day).replace(day=1), month - day),
        (say("12 months"), today - 364 * day, today),
    ]  # fmt: skip
    return [(name, first.isoformat(), last.isoformat()) for name, first, last in spans]


def _groupings(visitor: Visitor) -> dict[str, str]:
    say = visitor.words.say
    return {"day": say("Day"), "queue": say("Queue"), "agent": say("Agent"), "number": say("Our number"),
            "type": say("Kind of chat")}  # fmt: skip


def _views(visitor: Visitor) -> dict[str, str]:
    say = visitor.words.say
    return {"chats": say("Chats"), "times": say("Times"), "endings": say("Endings"), "texts": say("Texts and cost")}


PAGES = [show, download]
