"""`smsdesk bench chart`: the figures of a bench as pictures for a page.

An SVG each, without script and without anything from elsewhere. Each bar has its name above it and its figure beside
it, so that colour says nothing that words do not; light and dark follow the reader's setting. The desk's charts are not
used: they show a course over a day and leave all words to the page around them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import jinja2
import msgspec

from smsdesk.bench.compare.table import Comparison, Side
from smsdesk.bench.report import Headline, Report

WIDTH, LEFT = 720, 16
"""Units of a picture, and of its margin."""
LONGEST, SHORTER = 540, 160
"""Units of the longest bar of a panel, over the whole width and in one of two columns: what is beside it needs the
rest."""
TOP, STEP, BOTTOM, HEADING = 58, 44, 20, 24
OURS = ("smsdesk", "accepted", "delivered", "the worker")
"""How the names of our own measurements begin; other bars are what they are measured by."""
COMPARED = (
    ("accepted a second, nothing sent meanwhile", "accepted", ""),
    ("accepted a second, all at work", "accepted_meanwhile", ""),
    ("delivered a second, from queue to receipt", "from_queue", ""),
    ("a second from request to receipt", "to_the_end", ""),
    ("CPU for each text (less is better)", "cpu_us", " us"),
    ("memory (less is better)", "memory_mb", " MB"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing to show; `promise` is the least or the most that is promised of it."""

    name: str
    value: float
    unit: str = ""
    promise: float | None = None
    said: str = ""
    """In place of value and unit."""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure where it is drawn. `promise` is where its line is, from the left end of the bar."""

    name: str
    said: str
    y: int
    width: float
    ours: bool
    promise: float | None


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of one scale, below a heading of their own where the picture has several."""

    heading: str
    bars: tuple[Bar, ...]
    x: int
    y: int

    @property
    def height(self) -> int:
        """Units from its first line to the end of its axis."""
        return STEP * len(self.bars)


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn; `source` says how it was measured."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    source: str

    @property
    def bars(self) -> tuple[Bar, ...]:
        """Those of all panels."""
        return tuple(bar for panel in self.panels for bar in panel.bars)

    @property
    def height(self) -> int:
        """Units from top to bottom."""
        return max((panel.y + panel.height for panel in self.panels), default=TOP) + BOTTOM


def draw_file(figures: Path, out: Path) -> list[Path]:
    """Writes the pictures of what a bench's --json gave; returns where. Raises ValueError where it is nothing such."""
    try:
        bench = msgspec.json.decode(figures.read_bytes(), type=Comparison)
    except msgspec.DecodeError as error:
        raise ValueError(f"this is not what --json of a bench prints: {error}") from error
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for picture in pictures_of(bench):
        path = out / f"{picture.name}.svg"
        path.write_text(svg(picture), encoding="utf-8")
        written.append(path)
    return written


def pictures_of(bench: Comparison) -> list[Picture]:
    """Of a comparison one with all lines of its table; of others the ratios and the rates of each report."""
    source = f"{bench.command}, {bench.started_at[:10]}, {bench.machine.get('cores', '?')} cores"
    if busy := bench.machine.get("busy with other work before"):
        source += f", {busy} busy before"
    if bench.sides:
        return [_beside_others(bench.sides, source)]
    found = []
    for report in bench.reports:
        found.append(_picture(f"{report.title}: ratios", [_of(each) for each in report.headlines], source))
        found.append(_picture(f"{report.title}: a second", _rates(report), source))
    return [picture for picture in found if picture.bars]


def _beside_others(sides: tuple[Side, ...], source: str) -> Picture:
    """All of it, in two columns."""
    panels, y = list[Panel](), TOP + HEADING
    for at, (heading, figures) in enumerate(_lines(sides)):
        panels.append(Panel(heading, _bars(figures, SHORTER), WIDTH // 2 * (at % 2), y))
        y += (panels[-1].height + 2 * HEADING) * (at % 2)
    return Picture("beside-others", "smsdesk beside others on the same machine", tuple(panels), source)


def _lines(sides: tuple[Side, ...]) -> list[tuple[str, list[Figure]]]:
    """What is shown of all sides: first what an answer is worth, then how many there are."""
    return [
        ("answers with the text on the disk (fsync)", [_synced(side) for side in sides]),
        ("lost / doubled after kill -9 (less is better)", [_lost(side) for side in sides]),
        *((title, [_of_side(side, name, unit) for side in sides]) for title, name, unit in COMPARED),
    ]


def svg(picture: Picture) -> str:
    """The picture as a file."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    return env.get_template("bars.svg").render(picture=picture, width=WIDTH, left=LEFT)


def _of_side(side: Side, name: str, unit: str) -> Figure:
    return Figure(side.name, getattr(side, name), unit, ours=side.name.startswith(OURS))


def _synced(side: Side) -> Figure:
    seen = side.durable
    said = f"{seen.synced} of {seen.requests}" if seen.looked else "not looked at"
    return Figure(side.name, seen.synced if seen.looked else 0, said=said, ours=side.name.startswith(OURS))


def _lost(side: Side) -> Figure:
    kill = side.kill
    said = f"{kill.lost} / {kill.doubled}" + (f", {kill.listed} listed" if kill.listed else "")
    return Figure(
        side.name, (kill.lost + kill.doubled) / max(1, kill.answered), said=said, ours=side.name.startswith(OURS)
    )


def _of(entry: Headline) -> Figure:
    """A ratio is always of ours."""
    unit = " times" if entry.unit == "x" else f" {entry.unit}".rstrip()
    promise = entry.least if entry.least is not None else entry.most
    return Figure(entry.name, entry.value, unit, promise, ours=True)


def _rates(report: Report) -> list[Figure]:
    rows = (row for row in report.rows if row.per_second)
    return [Figure(row.name, row.per_second, ours=row.name.startswith(OURS)) for row in rows]


def _picture(title: str, figures: list[Figure], source: str) -> Picture:
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return Picture(name, title, (Panel("", _bars(figures, LONGEST), 0, TOP),) if figures else (), source)


def _bars(figures: list[Figure], longest: int) -> tuple[Bar, ...]:
    """One scale for all bars of a unit, since a panel may hold ratios and milliseconds."""
    return tuple(
        _bar(each, STEP * at, longest / max(_ends(figures, each.unit))) for at, each in enumerate(figures)
    )  # fmt: skip


def _ends(figures: list[Figure], unit: str) -> list[float]:
    return [max(each.value, each.promise or 0.0) for each in figures if each.unit == unit] + [1e-9]


def _bar(figure: Figure, y: int, scale: float) -> Bar:
    value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:g}"
    promised = "" if figure.promise is None else f" (promised: {figure.promise:g})"
    place = None if figure.promise is None else round(figure.promise * scale, 1)
    width = round(figure.value * scale, 1)
    return Bar(figure.name, figure.said or f"{value}{figure.unit}{promised}", y, width, figure.ours, place)
