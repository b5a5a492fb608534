"""`smsdesk texts`: what became of a text, texts of which nobody knows, and receipts that fit none."""

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smsdesk.actions.settle_text import settle_text
from smsdesk.cli.options import DEFAULT_DATA, Data, Json, open_database, print_json, run
from smsdesk.domain.trace import Trace
from smsdesk.errors import Problem
from smsdesk.store.doubtful import DoubtfulText, Settlement, list_doubtful
from smsdesk.store.orphans import OrphanReceipt, list_orphans
from smsdesk.store.tenants import read_tenant, require_tenant_id
from smsdesk.store.trace import find_trace

app = typer.Typer(no_args_is_help=True, help="What became of a text; texts that may or may not have left.")

MOST = 1000
"""Texts, or receipts, that are listed at once."""

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


@app.command()
def show(
    subdomain: _Subdomain,
    message_id: Annotated[int, typer.Argument(min=1, help="The text, by the `message_id` that its sender got.")],
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Show why a text was sent, by whom, each attempt and part of it, and what became of them."""

    async def work() -> Trace:
        async with open_database(data) as database, database.connection() as conn:
            trace = await find_trace(conn, await require_tenant_id(conn, subdomain), message_id)
        if trace is None:
            raise Problem("not_found", f"this tenant sent no text with the message_id {message_id}")
        return trace

    trace = run(work)
    if json:
        print_json({"says": trace.says, "remedy": trace.remedy, "text": trace})
    else:
        _show(trace)


@app.command()
def orphans(subdomain: _Subdomain, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List a tenant's delivery reports that fit no text, the latest first, and what its carriers posted unreadably."""

    async def work() -> list[OrphanReceipt]:
        async with open_database(data) as database, database.connection() as conn:
            return await list_orphans(conn, await require_tenant_id(conn, subdomain), MOST)

    found = run(work)
    if json:
        print_json({"orphans": found})
    elif found:
        rows = [(one.carrier, one.carrier_part_id, one.state, one.code, one.number, one.at) for one in found]
        _print(("carrier", "its id", "state", "code", "phone", "at"), rows)
    else:
        typer.echo("every receipt fits a text")


def _table(texts: list[DoubtfulText]) -> Table:
    table = Table("message", "to", "carrier", "parts", "answered", "attempt", "sent at", box=None, pad_edge=False)
    for text in texts:
        row = (text.message_id, text.destination, text.carrier, text.parts, text.named, text.attempt)
        table.add_row(*map(str, row), f"{text.sent_at:%Y-%m-%d %H:%M:%S} UTC")
    return table


def _show(trace: Trace) -> None:
    token = f" with the token {_shown(trace.credential)}" if trace.credential else ""
    agent = f" as {_shown(trace.agent)}" if trace.agent else ""
    price = f", price: {trace.price:f} {trace.currency or ''}".rstrip() if trace.price is not None else ""
    typer.echo(f"{trace.state} since {_shown(trace.state_at)}: {trace.says}.")
    typer.echo(f"To do: {trace.remedy}.\n")
    typer.echo(f"message {trace.message_id} in chat {trace.chat_id}, by {trace.sender}{token}{agent}")
    typer.echo(f"accepted at {_shown(trace.created_at)}")
    typer.echo(f"from {trace.source} to {trace.destination}: {_shown(trace.body)}")
    typer.echo(f"parts: {trace.parts} in {trace.encoding}, in doubt: {trace.on_doubt}{price}")
    if trace.reason or trace.code:
        typer.echo(f"reason: {trace.reason or 'none'}, the carrier's code: {_shown(trace.code or 'none')}")
    for head, rows in (
        (("attempt", "part", "carrier", "state", "its id", "code", "claimed at", "state at"),
         [(p.attempt, p.part, p.carrier, p.state, p.carrier_part_id, p.code, p.claimed_at, p.state_at)
          for p in trace.ledger]),
        (("moved at", "from", "to", "because"),
         [(move.at, move.from_carrier, move.to_carrier, move.why) for move in trace.moves]),
        (("settled at", "attempt", "verdict", "by"),
         [(one.at, one.attempt, one.verdict, one.settled_by) for one in trace.settlements]),
        (("consent at", "kind", "source", "words"),
         [(event.at, event.kind, event.source, event.words) for event in trace.consent]),
    ):  # fmt: skip
        if rows:
            typer.echo()
            _print(head, rows)


def _print(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_shown(value)) for value in row))
    Console().print(table)


def _shown(value: object) -> str:
    """A value on one line, without what a terminal would obey: carriers and consumers wrote some of them."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
