"""`smsdesk history`: the months that are kept, what they weigh, when they go; and dropping them by hand."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
import typer
from rich.console import Console
from rich.table import Table

from smsdesk.actions.drop_period import Standing, judge_periods
from smsdesk.cli.options import DEFAULT_DATA, CommandError, Data, Json, open_database, print_json, run, telling
from smsdesk.domain.periods import month_of, period_of
from smsdesk.jobs.periods import drop, remover
from smsdesk.media.stores import Stores
from smsdesk.settings import read_settings
from smsdesk.store.db import Database
from smsdesk.store.periods import Weight, weigh


class Month(msgspec.Struct):
    """A line of the list."""

    month: str
    chats: int
    rows: int
    """Messages, participants, words, parts and spans, as the statistics have them."""
    octets: int
    octets_of_a_chat: int | None
    goes: str
    """The day on which it goes, or why it stays."""


_Month = Annotated[
    str | None, typer.Option("--drop-before", metavar="YYYY-MM", help="Drop the months before this one, by hand.")
]


def history(
    drop_before: _Month = None,
    yes: Annotated[bool, typer.Option("--yes", help="Drop what the plan says; without it, it is only shown.")] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """List the months of history with their weight, and when each goes; or drop the oldest."""
    with telling():
        days = read_settings().history_days
    before = None if drop_before is None else _period(drop_before)

    async def work() -> tuple[list[Month], bool]:
        async with open_database(data) as database:
            now = datetime.now(UTC)
            if before is None:
                return await _list(database, await judge_periods(database, now, days), days), False
            going = [one for one in await judge_periods(database, now, 0) if one.period.period < before]
            _refuse(going)
            plan = await _list(database, going, days)
            for one in going if yes else []:
                await _drop(database, one, data)
            return plan, bool(yes)

    found, dropped = run(work)
    if json:
        print_json({"dropped" if dropped else "months": found})
        return
    Console().print(_table(found))
    if drop_before is not None:
        if not found:
            typer.echo(f"there is no month before {drop_before}")
        elif dropped:
            typer.echo(f"dropped: {', '.join(one.month for one in found)}")
        else:
            typer.echo("nothing was changed: add --yes to drop these months, their chats and their files")


def _period(month: str) -> int:
    try:
        return period_of(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC))
    except ValueError:
        raise typer.BadParameter(f"{month!r} is no month such as 2026-03") from None


def _refuse(going: list[Standing]) -> None:
    """All or none: a month that has to stay keeps those after it as well."""
    for one in going:
        if one.kept:
            raise CommandError(f"{month_of(one.period.period)} has to stay: {one.kept}")


async def _drop(database: Database, standing: Standing, data: Path) -> None:
    log = structlog.get_logger()
    settings = read_settings()
    stores = Stores(Path(settings.media_folder or data / "media"), os.environ, lambda: datetime.now(UTC))
    await drop(database, standing.period.period, remover(stores, log), datetime.now(UTC))


async def _list(database: Database, standings: list[Standing], days: int) -> list[Month]:
    async with database.connection() as conn:
        weights = await weigh(conn)
    return [_month(one, weights.get(one.period.period, Weight()), days) for one in standings]


def _month(standing: Standing, weight: Weight, days: int) -> Month:
    each = weight.octets // weight.chats if weight.chats else None
    return Month(
        month_of(standing.period.period), weight.chats, weight.rows, weight.octets, each, _goes(standing, days)
    )


def _goes(standing: Standing, days: int) -> str:
    if standing.period.going_at is not None:
        return "going"
    if not days:
        return standing.kept if standing.goes_at is None else "kept for ever"
    return standing.kept or "with the next sweep"


def _table(found: list[Month]) -> Table:
    table = Table("month", "chats", "rows", "bytes", "of a chat", "goes", box=None, pad_edge=False)
    for column in table.columns[1:5]:
        column.justify = "right"
    for one in found:
        each = "" if one.octets_of_a_chat is None else f"{one.octets_of_a_chat:,}"
        table.add_row(one.month, f"{one.chats:,}", f"{one.rows:,}", f"{one.octets:,}", each, one.goes)
    return table
