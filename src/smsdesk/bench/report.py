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
    latency: Latency
    errors: int = 0
    cpu_us: float = 0.0
    note: str = ""


class Ratio(msgspec.Struct, frozen=True):
    """One measurement in terms of another of the same run. `wanted` is the least promised, 0 for nothing."""

    name: str
    value: float
    wanted: float = 0.0

    @property
    def kept(self) -> bool:
        """True when the promise was kept, or there was none."""
        return self.value >= self.wanted


class BenchReport(msgspec.Struct, frozen=True):
    """A whole benchmark. `machine` says where it was taken, `processes` what ours used meanwhile."""

    title: str
    machine: dict[str, str]
    ratios: tuple[Ratio, ...]
    rows: tuple[Row, ...]
    processes: dict[str, Usage] = {}


def load_row(name: str, result: LoadResult) -> Row:
    """The row of a load run; the first cause of its errors becomes the note."""
    causes = [f"{status}: {text}" for status, text in result.samples.items()] + list(result.faults)
    return Row(name, result.per_second, result.latency, result.errors, result.cpu_us, causes[0][:120] if causes else "")


def baseline_row(name: str, result: BaselineResult) -> Row:
    """The row of a yardstick; latency is of whole transactions."""
    note = f"groups of {result.group}" if result.group > 1 else ""
    return Row(name, result.per_second, result.latency, cpu_us=result.cpu_us, note=note)


def ratio(name: str, over: Row, under: Row, wanted: float = 0.0) -> Ratio:
    """How many times `under` the row `over` makes a second; 0 when `under` made nothing."""
    return Ratio(name, round(over.per_second / under.per_second, 2) if under.per_second else 0.0, wanted)


def to_json(report: BenchReport) -> bytes:
    """The report as one JSON object."""
    return msgspec.json.encode(report)


def render(report: BenchReport, console: Console) -> None:
    """Ratios, then the table of rows, then what the processes used."""
    console.print(report.title, style="bold", markup=False, highlight=False)
    console.print("; ".join(f"{key} {value}" for key, value in report.machine.items()), markup=False, highlight=False)
    for entry in report.ratios:
        promise = f" (at least {entry.wanted:g} promised)" if entry.wanted else ""
        color = "green" if entry.kept else "red"
        console.print(f"  {entry.value:>6.2f} x  {entry.name}{promise}", style=color, markup=False, highlight=False)
    console.print(_rows(report.rows))
    if report.processes:
        console.print(_processes(report.processes))


def _rows(rows: tuple[Row, ...]) -> Table:
    table = _table("measurement", "per second", "p50 ms", "p90 ms", "p99 ms", "max ms", "errors", "client us")
    for row in rows:
        times = (row.latency.p50_ms, row.latency.p90_ms, row.latency.p99_ms, row.latency.max_ms)
        name = f"{row.name}\n  {row.note}" if row.note else row.name
        numbers = [f"{row.per_second:,.0f}", *(f"{time:.1f}" for time in times), str(row.errors), f"{row.cpu_us:.0f}"]
        table.add_row(name.replace("[", "\\["), *numbers, style="red" if row.errors else None)
    return table


def _processes(processes: dict[str, Usage]) -> Table:
    table = _table("process", "CPU s", "peak MB")
    for name, used in processes.items():
        table.add_row(name.replace("[", "\\["), f"{used.cpu_seconds:.2f}", f"{used.peak_rss / 1e6:.0f}")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
