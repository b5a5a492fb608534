"""One page of what benches promise: every promise of every file, kept or not, and nothing else."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from smsdesk.bench.promises import read_benches, render_promises
from smsdesk.bench.report import Bench, Report, Row, headline, to_json


def bench(name: str, *headlines: object) -> Bench:
    report = Report(name, headlines, (Row("row", 5.0),), "", ())  # type: ignore[arg-type]
    return Bench(f"smsdesk bench {name}", "2026-03-01T12:00:00+00:00", 9.0, {"cores": "2"}, (report,))


def test_each_promise_stands_with_what_was_found(tmp_path: Path) -> None:
    kept = headline("ours / theirs", 2.5, least=2.2)
    missed = headline("p99 [256]", 81.25, "ms", most=80.0)
    for number, each in enumerate((bench("one", kept, headline("no promise", 7.0)), bench("two", missed))):
        (tmp_path / f"{number}.json").write_bytes(to_json(each))
    out = io.StringIO()
    render_promises(read_benches(sorted(tmp_path.iterdir())), Console(file=out, width=140))
    said = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert [line for line in said if line.startswith(("kept", "MISSED"))] == [
        "kept 2.50 x >= 2.2 ours / theirs",
        "MISSED 81.25 ms <= 80 p99 [256]",
    ]
    assert {"smsdesk bench one", "smsdesk bench two", "2026-03-01T12:00:00+00:00; cores 2"} <= set(said)
    assert said[-1] == "1 of 2 promises kept"
    assert "no promise" not in out.getvalue()


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"other\.json is not what --json of a bench printed"):
        read_benches([path])
