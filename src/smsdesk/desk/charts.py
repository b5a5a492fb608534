"""Charts as shapes: numbers in, the geometry of an SVG out, with the same numbers as a table.

A chart is drawn on WIDTH by HEIGHT units and stretched to its place; what is written at its axes is text of the page
beside it, at equal distances, and stays readable at any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 1000, 100
STEPS = 4
"""Lines across, above the axis."""
GAP = 0.2
"""Of a bar's place that stays free."""


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn in one colour. `kind` is its class in the style sheet: `in`, `out`, `bad` ... None: not known."""

    name: str
    kind: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Shape:
    """A line with the area below it, as SVG paths."""

    kind: str
    line: str
    area: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a bar; `title` says what it is where one points at it."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that is ready to be written."""

    id: str
    title: str
    description: str
    series: tuple[Series, ...]
    places: tuple[str, ...]
    """What each value is of, in the order of the values."""
    marks: tuple[str, ...] = ()
    """Written below the axis, from its one end to the other."""
    scale: tuple[float, ...] = ()
    """Written beside it, from the top to 0."""
    shapes: tuple[Shape, ...] = ()
    bars: tuple[Bar, ...] = ()
    lines: tuple[float, ...] = field(default=())
    """How high the lines across are."""

    @property
    def empty(self) -> bool:
        """Nothing was counted."""
        return not any(value for each in self.series for value in each.values)

    @property
    def rows(self) -> list[tuple[str, list[float | None]]]:
        """The table: each place with its values; those of which nothing is known are left out."""
        found = [(place, [each.values[at] for each in self.series]) for at, place in enumerate(self.places)]
        return [row for row in found if any(value is not None for value in row[1])]


def top_of(largest: float) -> float:
    """The round number at which an axis ends: a whole multiple of STEPS, so that its lines are whole numbers."""
    size = 1.0
    while size * 5 * STEPS < largest:
        size *= 10
    return next(size * factor for factor in (1, 2, 5) if size * factor * STEPS >= largest) * STEPS


def line_chart(chart: Chart) -> Chart:
    """The chart as lines over areas: for what there is at a time."""
    top = top_of(max((value or 0 for each in chart.series for value in each.values), default=0))
    shapes = tuple(_shape(each, top, len(chart.places)) for each in chart.series)
    return _framed(chart, top, shapes=shapes)


def stacked_bars(chart: Chart) -> Chart:
    """The chart as bars, each the sum of its series: for what came in a time."""
    count = len(chart.places)
    sums = [sum(each.values[at] or 0 for each in chart.series) for at in range(count)]
    top = top_of(max(sums, default=0))
    width, bars = WIDTH / max(count, 1), []
    for at, place in enumerate(chart.places):
        below = 0.0
        for each in chart.series:
            value = each.values[at] or 0
            if value:
                high = value / top * HEIGHT
                title = f"{place}: {each.name} {value:g}"
                x = round(at * width + width * GAP / 2, 2)
                bars.append(
                    Bar(each.kind, x, round(HEIGHT - below - high, 2), round(width * (1 - GAP), 2), round(high, 2),
                        title)
                )  # fmt: skip
                below += high
    return _framed(chart, top, bars=tuple(bars))


def shares(values: Sequence[tuple[str, str, float]]) -> tuple[Bar, ...]:
    """One bar from end to end, of pieces (name, kind, value) as wide as their shares; none where there is nothing."""
    whole, bars, x = sum(value for _, _, value in values), [], 0.0
    for name, kind, value in values:
        if value:
            width = value / whole * WIDTH
            bars.append(Bar(kind, round(x, 2), 0, round(width, 2), HEIGHT, f"{name}: {value:g}"))
            x += width
    return tuple(bars)


def _framed(chart: Chart, top: float, shapes: tuple[Shape, ...] = (), bars: tuple[Bar, ...] = ()) -> Chart:
    steps = range(STEPS, -1, -1)
    return Chart(
        chart.id, chart.title, chart.description, chart.series, chart.places, chart.marks,
        tuple(top * step / STEPS for step in steps), shapes, bars,
        tuple(HEIGHT - HEIGHT * step / STEPS for step in steps),
    )  # fmt: skip


def _shape(series: Series, top: float, count: int) -> Shape:
    width = WIDTH / max(count, 1)
    points = [
        (round((at + 0.5) * width, 2), round(HEIGHT - value / top * HEIGHT, 2))
        for at, value in enumerate(series.values)
        if value is not None
    ]
    if not points:
        return Shape(series.kind, "", "")
    line = "M" + "L".join(f"{x} {y}" for x, y in points)
    return Shape(series.kind, line, f"{line}L{points[-1][0]} {HEIGHT}L{points[0][0]} {HEIGHT}Z")
