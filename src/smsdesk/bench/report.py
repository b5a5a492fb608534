"""The figures of a benchmark for people and programs: ratios first, since only they travel between machines."""

import msgspec
from rich.console import Console
from rich.table import Table

from smsdesk.bench.latency import Latency
from smsdesk.bench.load import LoadResult
from smsdesk.bench.postgres import BaselineResult
from smsdesk.bench.processes import Usage


class Row(msgspec.Struct, frozen=True):
    """One measurement: how many a second, how long, what went wrong. `cpu_us` is the client's own cost for each."""

    name: str
    per_second: float
    latency: Latency = Latency()
    errors: int = 0
    cpu_us: float = 0.0
    note: str = ""


class Headline(msgspec.Struct, frozen=True):
    """A figure that says something by itself, and whether it keeps what was promised of it; `unit` x is a ratio."""

    name: str
    value: float
    unit: str = "x"
    least: float | None = None
    most: float | None = None
    kept: bool = True


class Cost(msgspec.Struct, frozen=True):
    """What a process, or a family of them, used: CPU in all and for each item, and the most memory of one process."""

    name: str
    cpu_seconds: float
    cpu_us_each: float
    peak_mb: float


class Report(msgspec.Struct, frozen=True):
    """One benchmark. The rows are the median rounds, `costs` those of the row that `costs_of` names."""

    title: str
    headlines: tuple[Headline, ...]
    rows: tuple[Row, ...]
    costs_of: str
    costs: tuple[Cost, ...]


class Bench(msgspec.Struct, frozen=True):
    """All that one command measured, with what is needed to do it again."""

    command: str
    started_at: str
    seconds: float
    machine: dict[str, str]
    reports: tuple[Report, ...]


def load_row(name: str, result: LoadResult) -> Row:
    """The row of a load run; the first cause of its errors becomes the note."""
    causes = [f"{status}: {text}" for status, text in result.samples.items()] + list(result.faults)
    return Row(name, result.per_second, result.latency, result.errors, result.cpu_us, causes[0][:120] if causes else "")


def baseline_row(name: str, result: BaselineResult, note: str = "") -> Row:
    """The row of a yardstick; latency is of whole transactions, the client's cost is for each row."""
    return Row(name, result.per_second, result.latency, 0, round(result.cpu_us / result.group, 1), note)


def headline(
    name: str, value: float, unit: str = "x", *, least: float | None = None, most: float | None = None
) -> Headline:
    """A figure with the least or the most that is promised of it."""
    value = round(value, 2)
    kept = (least is None or value >= least) and (most is None or value <= most)
    return Headline(name, value, unit, least, most, kept)


def ratio(name: str, over: Row, under: Row, least: float | None = None) -> Headline:
    """How many times `under` the row `over` makes a second; 0 when `under` made nothing."""
    return headline(name, over.per_second / under.per_second if under.per_second else 0.0, least=least)


def cost(name: str, used: Usage, items: int) -> Cost:
    """What was used, also for each of so many items."""
    each = used.cpu_seconds * 1e6 / items if items else 0.0
    return Cost(name, used.cpu_seconds, round(each, 1), round(used.peak_rss / 1e6, 1))


def to_json(bench: Bench) -> bytes:
    """All of it as one JSON object."""
    return msgspec.json.encode(bench)


def render(bench: Bench, console: Console) -> None:
    """For each benchmark its headlines, the table of rows, and what the processes used."""
    for report in bench.reports:
        console.print(f"\n{report.title}", style="bold", markup=False, highlight=False)
        for entry in report.headlines:
            color = "green" if entry.kept else "red"
            console.print(_line(entry), style=color, markup=False, highlight=False)
        console.print(_rows(report.rows))
        if report.costs:
            console.print(f"\n{report.costs_of}", markup=False, highlight=False)
            console.print(_costs(report.costs))
    facts = [f"{key} {value}" for key, value in bench.machine.items()]
    took = f"{bench.command}, {bench.started_at}, {bench.seconds:.0f} s"
    console.print("\n" + "; ".join([took, *facts]), markup=False, highlight=False)


def _line(entry: Headline) -> str:
    promises = [f"at least {entry.least:g}"] if entry.least is not None else []
    promises += [f"at most {entry.most:g}"] if entry.most is not None else []
    promise = f" ({' and '.join(promises)} promised{'' if entry.kept else ': MISSED'})" if promises else ""
    return f"  {entry.value:>8.2f} {entry.unit:<2}  {entry.name}{promise}"


def _rows(rows: tuple[Row, ...]) -> Table:
    table = _table("measurement", "per second", "p50 ms", "p90 ms", "p99 ms", "max ms", "errors", "client us")
    for row in rows:
        name = f"{row.name}\n  {row.note}" if row.note else row.name
        times = (row.latency.p50_ms, row.latency.p90_ms, row.latency.p99_ms, row.latency.max_ms)
        shown = [f"{time:.2f}" if time else "" for time in times]
        numbers = [f"{row.per_second:,.0f}", *shown, str(row.errors), f"{row.cpu_us:.0f}" if row.cpu_us else ""]
        table.add_row(name.replace("[", "\\["), *numbers, style="red" if row.errors else None)
    return table


def _costs(costs: tuple[Cost, ...]) -> Table:
    table = _table("process", "CPU s", "CPU us each", "peak MB")
    for used in costs:
        numbers = (f"{used.cpu_seconds:.2f}", f"{used.cpu_us_each:.0f}", f"{used.peak_mb:.0f}")
        table.add_row(used.name.replace("[", "\\["), *numbers)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
