"""A budget in the forms that people and programs read: the largest gap first, then each step beside its bare cost."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from smsdesk.bench.report import Bench, Headline, Report, headline

MOST_LOST = 15.0
"""Percent of a process's CPU that may belong to no step."""
COVER = 0.1
"""How far the sum of the steps may be from what the kernel says that the process used, as a share of it."""


class Bare(msgspec.Struct, frozen=True):
    """What a step costs where nothing else is done; `us` for each item of the budget."""

    what: str
    us: float


class Line(msgspec.Struct, frozen=True):
    """One step: CPU microseconds for each item. `inside` are parts of it, which may lie in one another."""

    name: str
    us: float
    bare: Bare | None = None
    inside: tuple["Line", ...] = ()

    @property
    def gap(self) -> float:
        """What it costs over its bare cost; all of it where nothing bare is known."""
        return self.us - (self.bare.us if self.bare else 0.0)


class Side(msgspec.Struct, frozen=True):
    """A process of ours, or all of PostgreSQL's: what it used by the kernel's count, and the steps of that."""

    name: str
    us: float
    lines: tuple[Line, ...]
    bare: Bare | None = None


class Budget(msgspec.Struct, frozen=True):
    """Where the microseconds of one item go."""

    title: str
    item: str
    items: int
    sides: tuple[Side, ...]
    lost: Line
    """What fell to no step, and in which functions."""
    covered: float
    """The sum of the steps over what the kernel says that our process used."""
    facts: tuple[str, ...]

    def gaps(self) -> list[tuple[Side, Line]]:
        """All steps, the largest gap first."""
        found = [(side, line) for side in self.sides for line in side.lines if line is not self.lost]
        return sorted(found, key=lambda pair: -pair[1].gap)


def report(budget: Budget) -> Report:
    """The few figures that say whether the budget can be believed."""
    ours = budget.sides[0]
    lost = 100 * budget.lost.us / ours.us if ours.us else 100.0
    found: list[Headline] = [headline(f"{side.name}, each {budget.item}", side.us, "us") for side in budget.sides]
    found.append(headline("fell to no step", lost, "%", most=MOST_LOST))
    found.append(headline("the steps / the process's CPU", budget.covered, least=1 - COVER, most=1 + COVER))
    return Report(budget.title, tuple(found), (), "", ())


class Budgets(Bench, frozen=True):
    """A bench with its budgets."""

    budgets: tuple[Budget, ...] = ()


def to_json(bench: Bench, budgets: Sequence[Budget]) -> bytes:
    """All of it as one JSON object."""
    return msgspec.json.encode(Budgets(**msgspec.structs.asdict(bench), budgets=tuple(budgets)))


def to_markdown(bench: Bench, budgets: Sequence[Budget]) -> str:
    """The tables for docs/performance.md, and under them the command that made them."""
    facts = ", ".join(f"{key} {value}" for key, value in bench.machine.items() if key != "folder")
    made = f"`{bench.command}`, {bench.started_at[:10]}, {bench.seconds:.0f} s; {facts}."
    return "\n\n".join([*map(_markdown, budgets), made])


def _markdown(budget: Budget) -> str:
    said = [f"**{budget.title}**", "", largest(budget), "", f"| microseconds of CPU for each {budget.item} | us | bare "
            "| gap | bare is |", "|---|---:|---:|---:|---|"]  # fmt: skip
    for side in budget.sides:
        said.append(_cells(Line(f"**{side.name}**", side.us, side.bare)))
        for line in side.lines:
            said.append(_cells(line))
            said += [f"| · · {part.name} | ({part.us:.1f}) | | | |" for part in line.inside]
    return "\n".join([*said, "", " ".join(budget.facts)])


def _cells(line: Line) -> str:
    bare = f"{line.bare.us:.1f} | {line.gap:.1f} | {line.bare.what}" if line.bare else " | | "
    return f"| {line.name} | {line.us:.1f} | {bare} |"


def largest(budget: Budget) -> str:
    """The three largest gaps, in a sentence."""
    named = [f"{line.name} ({side.name}: {line.gap:.0f} us over its bare cost)" for side, line in budget.gaps()[:3]]
    return f"The largest gaps: {'; '.join(named)}."


def render(bench: Bench, budgets: Sequence[Budget], console: Console) -> None:
    """The same for a terminal."""
    for budget in budgets:
        console.print(f"\n{budget.title}", style="bold", markup=False, highlight=False)
        console.print(largest(budget), markup=False, highlight=False)
        console.print(_table(budget))
        for fact in budget.facts:
            console.print(fact, markup=False, highlight=False)
    facts = [f"{key} {value}" for key, value in bench.machine.items()]
    took = f"{bench.command}, {bench.started_at}, {bench.seconds:.0f} s"
    console.print("\n" + "; ".join([took, *facts]), markup=False, highlight=False)


def _table(budget: Budget) -> Table:
    table = Table(f"CPU us for each {budget.item}", box=None, pad_edge=False)
    for heading in ("us", "bare", "gap"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("bare is")
    for side in budget.sides:
        _add(table, Line(side.name, side.us, side.bare), "bold")
        for line in side.lines:
            _add(table, line, None)
            for part in line.inside:
                table.add_row(f"    {part.name}".replace("[", "\\["), f"({part.us:.1f})", "", "", "", style="dim")
    return table


def _add(table: Table, line: Line, style: str | None) -> None:
    bare = (f"{line.bare.us:.1f}", f"{line.gap:.1f}", line.bare.what) if line.bare else ("", "", "")
    name = line.name if style else f"  {line.name}"
    table.add_row(name.replace("[", "\\["), f"{line.us:.1f}", *bare, style=style)
