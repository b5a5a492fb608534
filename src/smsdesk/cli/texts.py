"""`smsdesk texts`: texts of which nobody knows whether they left."""

import getpass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from smsdesk.actions.settle_text import settle_text
from smsdesk.cli.options import DEFAULT_DATA, Data, Json, open_database, print_json, run
from smsdesk.store.doubtful import DoubtfulText, Settlement, list_doubtful
from smsdesk.store.tenants import read_tenant, require_tenant_id

app = typer.Typer(no_args_is_help=True, help="Texts that may or may not have left, and what to do about them.")

MOST = 1000
"""Texts that are listed at once: settle some, and list again."""

_Subdomain = Annotated[str, typer.Argument(help="The tenant.")]


class Verdict(StrEnum):
    """What a person says of a text."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    SEND_AGAIN = "send_again"


@app.command()
def doubtful(subdomain: _Subdomain, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List a tenant's doubtful texts, the longest in doubt first. None of them is sent again by itself."""

    async def work() -> list[DoubtfulText]:
        async with open_database(data) as database, database.connection() as conn:
            return await list_doubtful(conn, await require_tenant_id(conn, subdomain), MOST)

    found = run(work)
    if json:
        print_json({"doubtful": found})
    elif found:
        Console().print(_table(found))
    else:
        typer.echo("no text is in doubt")


@app.command()
def settle(
    subdomain: _Subdomain,
    message_id: Annotated[int, typer.Argument(min=1, help="The text, as `smsdesk texts doubtful` lists it.")],
    verdict: Annotated[Verdict, typer.Argument(help="What became of it, or shall become of it.")],
    settled_by: Annotated[str | None, typer.Option("--by", help="Who says so; you where missing.")] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Say of a doubtful text that it was sent, that it was not, or that it shall be sent again."""
    settlement = Settlement(message_id, verdict.value, settled_by or getpass.getuser())

    async def work() -> None:
        async with open_database(data) as database:
            async with database.connection() as conn:
                tenant = await read_tenant(conn, await require_tenant_id(conn, subdomain))
            await settle_text(database, tenant, settlement, datetime.now(UTC))

    run(work)
    if json:
        print_json(settlement)
    else:
        typer.echo(f"message {message_id} is settled: {verdict.value}, by {settlement.settled_by}")


def _table(texts: list[DoubtfulText]) -> Table:
    table = Table("message", "to", "carrier", "parts", "answered", "attempt", "sent at", box=None, pad_edge=False)
    for text in texts:
        row = (text.message_id, text.destination, text.carrier, text.parts, text.named, text.attempt)
        table.add_row(*map(str, row), f"{text.sent_at:%Y-%m-%d %H:%M:%S} UTC")
    return table
