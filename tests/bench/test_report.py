"""What processes used, and how the figures are shown."""

import io
import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from smsdesk.bench.latency import Latency, summarize
from smsdesk.bench.markdown import to_markdown
from smsdesk.bench.processes import Meter, Usage, busy, family, usage
from smsdesk.bench.report import Bench, Cost, Headline, Report, Row, cost, headline, ratio, render, to_json

SPINS = (
    "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True)\ninput()"
)


def test_latency_is_a_time_that_was_measured() -> None:
    assert summarize([]) == Latency()
    assert summarize([5_000_000]) == Latency(5.0, 5.0, 5.0, 5.0)
    assert summarize(n * 1_000_000 for n in range(100, 0, -1)) == Latency(50.0, 90.0, 99.0, 100.0)


def test_the_meter_counts_a_family_whenever_it_was_born() -> None:
    meter = Meter({"us": os.getpid()})
    with subprocess.Popen(
        [sys.executable, "-c", SPINS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        alone = Meter({"child": child.pid})
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in family(os.getpid())
        alive = meter.look()["us"]
        assert alive.cpu_seconds >= 0.3
        assert alive.peak_rss > 1_000_000
        used = alone.look()
        child.communicate("\n")
    assert usage(child.pid) is None
    assert family(child.pid) == ()
    assert alone.look() == used
    assert meter.look()["us"].cpu_seconds >= alive.cpu_seconds


def test_a_machine_at_work_is_busy() -> None:
    with subprocess.Popen([sys.executable, "-c", SPINS.replace("0.3", "60")], stdin=subprocess.PIPE) as child:
        share = busy(0.5)
        child.kill()
    assert 0.5 / (os.cpu_count() or 1) < share <= 1


def bench(*headlines: Headline, rows: tuple[Row, ...] = ()) -> Bench:
    report = Report("Accepted", headlines, rows, "What a session cost", (cost("api", Usage(1.25, 80_000_000), 10_000),))
    return Bench("smsdesk bench accept", "2026-01-01T00:00:00+00:00", 61.0, {"cores": "2"}, (report,))


def test_ratios_come_first_and_a_missed_one_shows() -> None:
    alone = Row("PostgreSQL alone [1]", 3000.0)
    ours = Row("accepted", 4500.0, Latency(7.0, 9.0, 12.0, 40.0), 3)
    found = bench(
        ratio("accepted to PostgreSQL alone", ours, alone, 1.3),
        headline("p99", 41.0, "ms", most=40),
        rows=(ours, alone),
    )
    screen = io.StringIO()
    render(found, Console(file=screen, width=120))
    text = screen.getvalue()
    assert text.index("1.50 x   accepted to PostgreSQL alone (at least 1.3 promised)") < text.index("4,500")
    assert "41.00 ms  p99 (at most 40 promised: MISSED)" in text
    assert "PostgreSQL alone [1]" in text
    assert "cores 2" in text


def test_the_json_has_all_figures_and_how_they_were_made() -> None:
    shown = json.loads(to_json(bench(headline("kept", 1.3, least=1.3), headline("missed", 1.299, least=1.31))))
    assert (shown["command"], shown["machine"], shown["seconds"]) == ("smsdesk bench accept", {"cores": "2"}, 61.0)
    (report,) = shown["reports"]
    assert [entry["kept"] for entry in report["headlines"]] == [True, False]
    assert report["costs"] == [{"name": "api", "cpu_seconds": 1.25, "cpu_us_each": 125.0, "peak_mb": 80.0}]


def test_nothing_measured_makes_no_ratio() -> None:
    nothing = Row("nothing", 0.0)
    assert ratio("of nothing", nothing, nothing).value == pytest.approx(0.0)


def test_markdown_has_each_figure_and_says_what_was_missed() -> None:
    latency = Latency(1.25, 2.0, 9.99, 30.0)
    report = Report(
        "Sessions",
        (headline("a / b", 1.234, least=1.3), headline("p99", 24.4, "ms", most=40)),
        (Row("ours", 4032.1, latency), Row("theirs", 12.0)),
        "What one cost",
        (Cost("api", 3.7, 152.6, 72.2), Cost("generator", 0.8, 34.4, 0.0)),
    )
    said = to_markdown(Bench("smsdesk bench x", "2026-03-01T12:00:00+00:00", 9.6, {"cores": "2"}, (report,)))
    assert "- a / b: **1.23 times** (promised: at least 1.3; missed)" in said
    assert "- p99: **24.4 ms** (promised: at most 40)" in said
    assert "| ours | 4,032 | 1.2 | 10.0 |\n| theirs | 12 |  |  |" in said
    assert "What one cost: api 153 us, at most 72 MB; generator 34 us." in said
    assert said.endswith("`smsdesk bench x`, 2026-03-01, 10 s; cores 2.")
