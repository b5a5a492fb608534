"""What `bench scale` found: what was predicted beside what was measured, and what the model makes of it."""

from collections.abc import Iterable

import msgspec
from rich.console import Console
from rich.table import Table

from smsdesk.bench.markdown import to_markdown
from smsdesk.bench.report import Bench, render
from smsdesk.bench.scale.model import USED, Costs, Size


class Measured(msgspec.Struct, frozen=True):
    """One way to set it up: the round in the middle. `predicted` is None where the model says nothing."""

    name: str
    per_second: float
    predicted: float | None
    cpu_us: dict[str, float]
    """CPU in microseconds for each send or text, by process."""
    log: float
    """Octets of PostgreSQL's log for each."""
    others: float = 0.0
    """Cores that processes of others had meanwhile: the model predicts for the rest."""

    @property
    def error(self) -> float | None:
        """How much more was predicted than measured, as a share of what was measured; negative is less."""
        return None if self.predicted is None else self.predicted / self.per_second - 1


class Scale(Bench, frozen=True):
    """A bench with the model's inputs, and what it says."""

    measured: tuple[Measured, ...] = ()
    costs: Costs | None = None
    sizes: tuple[Size, ...] = ()


MEASURED = ("", "a second", "predicted", "error", "CPU of each process for one, us", "log, octets", "cores of others")
SIZES = ("cores", "texts a second", "API processes", "workers", "PostgreSQL, cores", "log, MB a second")


def inputs(costs: Costs) -> str:
    """The model's inputs, in a sentence."""
    return (
        f"Inputs, us of CPU: API {costs.api:.0f} and PostgreSQL {costs.accepting:.0f} for an accepted send, worker "
        f"{costs.worker:.0f} and PostgreSQL {costs.delivering:.0f} for a delivered text, together {costs.ours:.0f}; "
        f"load generator {costs.generator:.0f}, lab {costs.lab:.0f}. Log {costs.log:,.0f} octets."
    )


def limits(costs: Costs) -> str:
    """What one process can do at most, in a sentence."""
    return (
        f"One process of the API at most {1e6 / costs.api:,.0f} sends a second, one that delivers at most "
        f"{1e6 / costs.worker:,.0f} texts; both with a core of their own that does nothing else."
    )


def note(one: Measured) -> str:
    """What there is to say of one beside its rate."""
    spent = [f"{name} {us:.0f} us" for name, us in one.cpu_us.items()]
    said = [] if one.predicted is None or one.error is None else [f"predicted {one.predicted:,.0f} ({one.error:+.0%})"]
    return ", ".join([*said, *spent, f"log {one.log:,.0f} octets"])


def render_scale(found: Scale, console: Console) -> None:
    """The report, and under it what the model says of more cores."""
    render(found, console)
    table = Table(SIZES[0], box=None, pad_edge=False)
    for head in SIZES[1:]:
        table.add_column(head, justify="right")
    for one in found.sizes:
        table.add_row(*_size(one))
    console.print()
    console.print(table)
    for said in _said(found):
        console.print(said, markup=False, highlight=False)


def scale_to_markdown(found: Scale) -> str:
    """The tables for docs/scale.md, and the headlines under them; all rates are in the first table already."""
    parts = [_table(MEASURED, map(_measured, found.measured)), _table(SIZES, map(_size, found.sizes))]
    (report,) = found.reports
    few = msgspec.structs.replace(found, reports=(msgspec.structs.replace(report, rows=(), costs=()),))
    return "\n\n".join([*parts, *_said(found), to_markdown(few)])


def _said(found: Scale) -> list[str]:
    if found.costs is None:
        return []
    return [inputs(found.costs), limits(found.costs), f"Cores are planned to be used at {USED:.0%}."]


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(line)} |" for line in (heads, *rows)]
    return "\n".join([lines[0], f"|---{'|---:' * (len(heads) - 1)}|", *lines[1:]])


def _measured(one: Measured) -> tuple[str, ...]:
    predicted = "" if one.predicted is None else f"{one.predicted:,.0f}"
    error = "" if one.error is None else f"{one.error:+.0%}"
    spent = ", ".join(f"{name} {us:.0f}" for name, us in one.cpu_us.items())
    return one.name, f"{one.per_second:,.0f}", predicted, error, spent, f"{one.log:,.0f}", f"{one.others:.1f}"


def _size(one: Size) -> tuple[str, ...]:
    processes = (str(one.api), str(one.workers), f"{one.postgresql:g}")
    return str(one.cores), f"{one.per_second:,.0f}", *processes, f"{one.log_mb:g}"
