"""`smsdesk costs`: what a tenant's texts cost."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from smsdesk.cli.options import DEFAULT_DATA, Data, Json, open_database, print_json, run
from smsdesk.domain.price import written
from smsdesk.store.costs import DEFAULT_DAYS, Cost, Days, list_costs
from smsdesk.store.tenants import require_tenant_id

_DAY = ["%Y-%m-%d"]
_First = Annotated[
    datetime | None,
    typer.Option("--from", formats=_DAY, help=f"The first day (UTC); {DEFAULT_DAYS} before --to if missing."),
]
_Last = Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="The last day (UTC); today if missing.")]


class Grouping(StrEnum):
    """What each sum is of."""

    DAY = "day"
    CARRIER = "carrier"
    NUMBER = "number"


def costs(
    subdomain: Annotated[str, typer.Argument(help="The tenant.")],
    first: _First = None,
    last: _Last = None,
    by: Annotated[Grouping, typer.Option(help="What each sum is of.")] = Grouping.DAY,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Sum what a tenant's texts cost: those that a carrier accepted, by day, carrier or number."""

    async def work() -> list[Cost]:
        days = Days.wanted(first.date() if first else None, last.date() if last else None, datetime.now(UTC).date())
        async with open_database(data) as database, database.connection() as conn:
            return await list_costs(conn, await require_tenant_id(conn, subdomain), days, by.value)

    found = run(work)
    if json:
        print_json({"costs": found})
    elif found:
        Console().print(_table(found, by))
    else:
        typer.echo("nothing was sent in these days")


def _table(found: list[Cost], by: Grouping) -> Table:
    table = Table(by.value, "texts", "segments", "price", "", box=None, pad_edge=False)
    for name in ("texts", "segments", "price"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for cost in [*found, *_totals(found)]:
        price = "no rate" if cost.price is None else written(cost.price)
        table.add_row(cost.group, f"{cost.texts:,}", f"{cost.segments:,}", price, cost.currency)
    return table


def _totals(found: list[Cost]) -> list[Cost]:
    """A sum over all groups for each currency."""
    totals: dict[str | None, Cost] = {}
    for cost in found:
        before = totals.get(cost.currency, Cost("all", cost.currency, 0, 0, None))
        price = None if cost.price is None else cost.price + (before.price or Decimal(0))
        totals[cost.currency] = Cost(
            "all", cost.currency, before.texts + cost.texts, before.segments + cost.segments, price
        )
    return list(totals.values())
