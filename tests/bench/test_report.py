"""What processes used, and how the figures are shown."""

import io
import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from smsdesk.bench.latency import Latency, summarize
from smsdesk.bench.processes import Meter, Usage, family, usage
from smsdesk.bench.report import BenchReport, Ratio, Row, ratio, render, to_json

SPINS = (
    "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True)\ninput()"
)


def test_latency_is_a_time_that_was_measured() -> None:
    assert summarize([]) == Latency()
    assert summarize([5_000_000]) == Latency(5.0, 5.0, 5.0, 5.0)
    assert summarize(n * 1_000_000 for n in range(100, 0, -1)) == Latency(50.0, 90.0, 99.0, 100.0)


def test_the_meter_counts_a_child_even_when_it_is_gone() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SPINS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        meter = Meter({"child": [child.pid], "both": [child.pid, os.getpid()]})
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in family(os.getpid())
        alive = meter.look()
        assert alive["child"].cpu_seconds >= 0.2
        assert alive["both"].peak_rss >= alive["child"].peak_rss > 1_000_000
        child.communicate("\n")
    assert usage(child.pid) is None
    assert family(child.pid) == ()
    assert meter.look()["child"] == alive["child"]


def test_ratios_come_first_and_a_missed_one_shows() -> None:
    alone, ours = (
        Row("PostgreSQL alone [1]", 3000.0, Latency()),
        Row("accepted", 4500.0, Latency(7.0, 9.0, 12.0, 40.0), 3),
    )
    kept, missed = ratio("accepted to PostgreSQL alone", ours, alone, 1.3), Ratio("quiet to bare", 0.2, 0.5)
    assert (kept.value, kept.kept, missed.kept) == (1.5, True, False)
    report = BenchReport("accept", {"cores": "2"}, (kept, missed), (ours, alone), {"api": Usage(1.25, 80_000_000)})
    screen = io.StringIO()
    render(report, Console(file=screen, width=120))
    text = screen.getvalue()
    assert text.index("1.50 x  accepted to PostgreSQL alone (at least 1.3 promised)") < text.index("4,500")
    assert "PostgreSQL alone [1]" in text
    assert "80" in text.splitlines()[-1]
    shown = json.loads(to_json(report))
    assert shown["ratios"][0] == {"name": "accepted to PostgreSQL alone", "value": 1.5, "wanted": 1.3}
    assert shown["processes"] == {"api": {"cpu_seconds": 1.25, "peak_rss": 80_000_000}}


def test_nothing_measured_makes_no_ratio() -> None:
    nothing = Row("nothing", 0.0, Latency())
    assert ratio("of nothing", nothing, nothing).value == pytest.approx(0.0)
