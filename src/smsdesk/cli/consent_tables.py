"""What `smsdesk consent` shows on a screen."""

from collections.abc import Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smsdesk.actions.import_consent import Drift
from smsdesk.domain.consent_list import ConsentLine
from smsdesk.store.carrier_opt_outs import CarrierOptOut
from smsdesk.store.consent import ConsentEvent
from smsdesk.store.consent_holds import Hold


def show_opt_outs(lines: Sequence[ConsentLine], otherwise: str = "nobody has opted out") -> None:
    """The opt-outs that stand."""
    if not lines:
        typer.echo(otherwise)
        return
    rows = [(line.number, line.scope, line.scope_of, line.at, line.source, line.words) for line in lines]
    _print(("number", "scope", "of", "since", "source", "words"), rows)


def show_holds(holds: Sequence[Hold]) -> None:
    """Replies that wait for a person; nothing where there are none."""
    if holds:
        typer.echo(f"\nreplies that may be a revocation, until somebody decides: {len(holds)}")
        rows = [(one.hold_id, one.number, one.our_number, one.at, one.reason, one.words) for one in holds]
        _print(("hold", "number", "ours", "at", "because it", "words"), rows)


def show_waiting(waiting: Sequence[CarrierOptOut]) -> None:
    """What carriers say and is not taken over; nothing where there is none."""
    for carrier in sorted({one.carrier for one in waiting}):
        count = sum(one.carrier == carrier for one in waiting)
        typer.echo(
            f"\n{carrier} refused texts to {count} numbers as opted out, too many in an hour to be believed unseen: "
            f"`smsdesk consent release TENANT {carrier} taken` or `dropped`"
        )


def show_events(events: Sequence[ConsentEvent]) -> None:
    """How it came."""
    rows = [
        (event.at, event.kind, event.scope.kind, event.scope.of, event.source, event.actor, event.scope.rule,
         event.reason, event.words)
        for event in events
    ]  # fmt: skip
    if rows:
        typer.echo()
        _print(("at", "kind", "scope", "of", "source", "by", "rule", "because", "words"), rows)


def show_drift(drift: Drift) -> None:
    """Where a carrier's list and ours differ, in both directions."""
    typer.echo(f"opted out at the carrier only: {len(drift.at_carrier_only)}, repaired: {drift.repaired}")
    for number, our_number in drift.at_carrier_only:
        typer.echo(f"  {number} {our_number}".rstrip())
    typer.echo(f"opted out here only: {len(drift.here_only)}")
    for number in drift.here_only:
        typer.echo(f"  {number}")


def _print(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_shown(value)) for value in row))
    Console().print(table)


def _shown(value: object) -> str:
    """A value on one line, without what a terminal would obey: consumers wrote some of them."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
