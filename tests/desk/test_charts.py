"""The geometry of charts, and what the supervisor's pages write."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from smsdesk.desk.charts import HEIGHT, WIDTH, Chart, Series, line_chart, shares, stacked_bars, top_of
from smsdesk.desk.figures import csv_line, duration, midnight, quarters


@pytest.mark.parametrize(
    ("largest", "top"), [(0, 4), (1, 4), (4, 4), (5, 8), (8, 8), (9, 20), (21, 40), (81, 200), (999, 2000)]
)
def test_an_axis_ends_at_a_round_number(largest: float, top: float) -> None:
    assert top_of(largest) == top


def chart(*series: Series) -> Chart:
    return Chart("id", "title", "description", series, ("a", "b"))


def test_bars_stand_on_one_another() -> None:
    done = stacked_bars(chart(Series("one", "in", (1, 0)), Series("two", "out", (3, 2))))
    assert done.scale == (4, 3, 2, 1, 0)
    lower, upper, alone = done.bars
    assert (lower.y + lower.height, upper.y + upper.height) == (HEIGHT, lower.y)
    assert (lower.height, upper.height, upper.y) == (HEIGHT / 4, HEIGHT * 3 / 4, 0)
    assert alone.x > WIDTH / 2
    assert alone.x + alone.width < WIDTH
    assert upper.title == "a: two 3"


def test_what_is_not_known_yet_is_no_line_and_no_row() -> None:
    done = line_chart(chart(Series("one", "wait", (2, None))))
    assert done.shapes[0].line == "M250.0 50.0"
    assert done.rows == [("a", [2])]
    assert not done.empty
    assert chart(Series("one", "wait", (0, None))).empty


def test_shares_fill_the_bar() -> None:
    bars = shares([("good", "good", 3), ("none", "warn", 0), ("bad", "bad", 1)])
    assert [(bar.x, bar.width) for bar in bars] == [(0, 750), (750, 250)]
    assert shares([("none", "bad", 0)]) == ()


@pytest.mark.parametrize(("day", "count"), [("2026-03-08", 92), ("2026-03-09", 96), ("2026-11-01", 100)])
def test_days_are_as_long_as_their_zone_has_them(day: str, count: int) -> None:
    zone = ZoneInfo("America/New_York")
    found = quarters(date.fromisoformat(day), zone)
    assert (len(found), found[0]) == (count, midnight(date.fromisoformat(day), zone))


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "–"), (0, "0:00"), (59.6, "1:00"), (125, "2:05"), (3607, "1:00:07")]
)
def test_durations(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "written"),
    [("=1+1", "'=1+1"), ("+14155550100", "'+14155550100"), ("-2", "'-2"), ("@x", "'@x"), ("\t=1", "'\t=1"),
     (-2, "-2"), (0.5, "0.5"), (None, ""), ('a "b", c', '"a ""b"", c"'), ("two\nlines", '"two\nlines"'),
     ('=cmd|"x"', '"\'=cmd|""x"""')],
)  # fmt: skip
def test_a_file_holds_no_formula(value: object, written: str) -> None:
    assert csv_line([value]) == f"{written}\r\n"
