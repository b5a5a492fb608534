"""Pictures hold every figure in words, and are drawn from what --json prints."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

from smsdesk.bench.charts import LEFT, LONGEST, WIDTH, pictures_of, svg
from smsdesk.bench.compare.durable import Durable
from smsdesk.bench.compare.kill import Kill
from smsdesk.bench.compare.table import Comparison, Side
from smsdesk.bench.report import Bench, Report, Row, headline, to_json

SVG = "{http://www.w3.org/2000/svg}"


def report(*rates: float) -> Report:
    rows = tuple(Row(f"row <{n}>", rate) for n, rate in enumerate(rates))
    return Report("Sends & more", (headline("ours / theirs", 1.25, least=1.5),), rows, "", ())


def bench(*rates: float) -> Comparison:
    return Comparison("smsdesk bench x", "2026-03-01T12:00:00+00:00", 9.0, {"cores": "2"}, (report(*rates),))


def side(name: str, accepted: float) -> Side:
    return Side(name, "1", Durable(True, 20, 20), Kill(3000, 2936, 3, 1, 4), accepted, 2.0, 3.0, 4.0, 5.0, 6.0)


def words(picture: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(picture).iter(f"{SVG}text")]


def test_every_figure_is_written_beside_its_bar() -> None:
    ratios, rates = pictures_of(bench(4000.0, 1000.0))
    said = words(svg(rates))
    assert rates.name == "sends-more-a-second"
    assert said[:5] == ["Sends & more: a second", "row <0>", "4,000", "row <1>", "1,000"]
    assert said[-1] == "smsdesk bench x, 2026-03-01, 2 cores"
    assert "1.25 times (promised: 1.5)" in words(svg(ratios))


def test_bars_are_as_long_as_their_figures() -> None:
    long, short = pictures_of(bench(4000.0, 1000.0))[1].bars
    assert (long.width, short.width) == (LONGEST, LONGEST / 4)


def test_the_promise_is_a_line_that_the_bar_should_reach() -> None:
    [bar] = pictures_of(bench())[0].bars
    assert bar.promise == LONGEST
    assert bar.width < LONGEST
    assert svg(pictures_of(bench())[0]).count('class="promise"') == 1


def test_a_comparison_is_one_picture_with_a_panel_for_each_line_of_its_table() -> None:
    sides = (side("smsdesk", 8.0), side("K", 2.0))
    [whole] = pictures_of(Comparison("smsdesk bench compare", "2026-03-01", 9.0, {}, (report(1.0),), sides=sides))
    panels = {panel.heading: panel.bars for panel in whole.panels}
    assert [bar.said for bar in panels["answers with the text on the disk (fsync)"]] == ["20 of 20", "20 of 20"]
    assert [bar.said for bar in panels["lost / doubled after kill -9 (less is better)"]] == ["3 / 4, 1 listed"] * 2
    first, second = panels["accepted a second, nothing sent meanwhile"]
    assert [(bar.name, bar.ours) for bar in (first, second)] == [("smsdesk", True), ("K", False)]
    assert first.width == 4 * second.width
    assert len(panels) == 8
    assert words(svg(whole)).count("smsdesk") == 8


def test_nothing_of_a_panel_reaches_into_the_next_one() -> None:
    """A letter of 14 units is some 7.5 wide."""
    sides = tuple(side(name, 123_456.7) for name in ("smsdesk", "Kannel", "Kannel without a store", "Jasmin"))
    [whole] = pictures_of(Comparison("smsdesk bench compare", "2026-03-01", 9.0, {}, (), sides=sides))
    ends = [bar.width + 6 + 7.5 * len(bar.said) for bar in whole.bars] + [7.5 * len(p.heading) for p in whole.panels]
    assert max(ends) < WIDTH / 2 - LEFT
    lows = [(panel.y - 40, panel.y + panel.height) for panel in whole.panels if panel.x == 0]
    assert all(end < begin for (_, end), (begin, _) in pairwise(lows))
    assert whole.panels[-1].y + whole.panels[-1].height <= whole.height


def test_light_and_dark_follow_the_reader() -> None:
    drawn = svg(pictures_of(bench(1.0))[0])
    assert "prefers-color-scheme: dark" in drawn
    assert "<script" not in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


def test_the_command_draws_what_any_bench_printed(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_bytes(to_json(Bench("smsdesk bench x", "2026-03-01", 9.0, {"cores": "2"}, (report(3.0),))))
    words = [sys.executable, "-m", "smsdesk", "bench", "chart", str(figures), "--out", str(tmp_path / "out")]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert [Path(each).name for each in said] == ["sends-more-ratios.svg", "sends-more-a-second.svg"]
    assert all(Path(each).read_text().startswith("<svg") for each in said)


def test_a_picture_says_how_busy_the_machine_was() -> None:
    busy = {"cores": "2", "busy with other work before": "69%"}
    [picture, *_] = pictures_of(Comparison("smsdesk bench x", "2026-03-01", 9.0, busy, (report(1.0),)))
    assert picture.source == "smsdesk bench x, 2026-03-01, 2 cores, 69% busy before"


def test_what_is_no_bench_is_refused(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text("[]")
    words = [sys.executable, "-m", "smsdesk", "bench", "chart", str(figures), "--out", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "this is not what --json of a bench prints" in done.stderr
    assert "Traceback" not in done.stderr
