"""The table of a comparison, for people and programs."""

import msgspec
from rich.console import Console
from rich.table import Table

from smsdesk.bench.compare.durable import Durable
from smsdesk.bench.compare.kill import Kill
from smsdesk.bench.markdown import to_markdown
from smsdesk.bench.report import Bench, render


class Side(msgspec.Struct, frozen=True):
    """One gateway. Rates are texts a second, the medians of the rounds; `cpu_us` and `memory_mb` are of all of its
    processes together, on the way to the end."""

    name: str
    version: str
    durable: Durable
    kill: Kill
    accepted: float
    accepted_meanwhile: float
    from_queue: float
    to_the_end: float
    cpu_us: float
    memory_mb: float


class Comparison(Bench, frozen=True):
    """A bench with the gateways side by side."""

    sides: tuple[Side, ...] = ()


def lines(side: Side) -> list[tuple[str, str]]:
    """What is said of one gateway, in the order of the table."""
    kill, durable = side.kill, side.durable
    seen = f"{durable.word}: {durable.synced} of {durable.requests} synced" if durable.looked else durable.word
    lost = f"{kill.lost} of {kill.answered:,}" + (f", {kill.listed} of them listed" if kill.listed else "")
    return [
        ("durable at accept", seen),
        ("lost after kill -9", lost),
        ("doubled after kill -9", str(kill.doubled)),
        ("accepted a second, nothing sent meanwhile", f"{side.accepted:,.0f}"),
        ("accepted a second, all at work", f"{side.accepted_meanwhile:,.0f}"),
        ("delivered a second from the queue, with receipts", f"{side.from_queue:,.0f}"),
        ("a second from request to receipt", f"{side.to_the_end:,.0f}"),
        ("CPU for each text, all processes", f"{side.cpu_us:,.0f} us"),
        ("memory, all processes", f"{side.memory_mb:,.0f} MB"),
    ]


def render_comparison(found: Comparison, console: Console) -> None:
    """The report, and the table under it."""
    render(found, console)
    table = Table("", box=None, pad_edge=False)
    for side in found.sides:
        table.add_column(side.name, justify="right")
    for row in _rows(found.sides):
        table.add_row(*row)
    console.print()
    console.print(table)


def comparison_to_markdown(found: Comparison) -> str:
    """The table, and the report under it."""
    names = [side.name for side in found.sides]
    table = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    table += [f"| {' | '.join(row)} |" for row in _rows(found.sides)]
    return "\n".join(table) + "\n\n" + to_markdown(found)


def _rows(sides: tuple[Side, ...]) -> list[list[str]]:
    said = [lines(side) for side in sides]
    return [[row[0][0], *(cell for _, cell in row)] for row in zip(*said, strict=True)]
