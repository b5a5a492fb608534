"""The command as a user runs it: real processes, figures that agree with the database, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smsdesk.bench.processes import family

PLACE = Path("/var/tmp")
LIMIT = 120.0


def folders() -> set[Path]:
    return set(PLACE.glob("smsdesk-bench-*"))


def bench(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "smsdesk", "bench", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def result(*words: str) -> tuple[int, str, str]:
    with bench(*words) as process:
        said, errors = process.communicate(timeout=LIMIT)
    return process.returncode, said, errors


@pytest.mark.slow
def test_both_benchmarks_report_what_they_measured_and_leave_nothing() -> None:
    before = folders()
    code, said, errors = result(
        "all", "--seconds", "1", "--rounds", "1", "--connections", "4,8", "--texts", "300", "--json"
    )
    assert code == 0, errors
    assert errors == ""  # no progress bar in a pipe
    assert folders() <= before
    found = json.loads(said)
    assert found["command"].startswith("smsdesk bench all --seconds 1")
    assert {"smsdesk", "Python", "PostgreSQL", "cores", "busy with other work before"} <= found["machine"].keys()
    accept, deliver = found["reports"]
    rates = {row["name"]: row["per_second"] for row in accept["rows"]}
    ours, alone = rates["accepted, 8 connections"], rates["PostgreSQL alone, 1 statement a transaction, 8 clients"]
    assert accept["headlines"][0]["value"] == pytest.approx(ours / alone, abs=0.01)
    assert all(row["per_second"] > 0 and row["errors"] == 0 for row in [*accept["rows"], *deliver["rows"]])
    assert {each["name"] for each in accept["costs"]} == {"api", "PostgreSQL", "load generator"}
    assert {each["name"] for each in deliver["costs"]} == {"worker", "PostgreSQL", "lab"}
    assert all(each["cpu_us_each"] > 0 for each in [*accept["costs"], *deliver["costs"]])


@pytest.mark.slow
def test_ctrl_c_ends_all_that_was_started() -> None:
    before = folders()
    with bench("deliver", "--texts", "500000") as process:
        until = time.monotonic() + LIMIT
        while len(started := family(process.pid)) < 3:  # itself, the lab, the worker
            assert process.poll() is None
            assert time.monotonic() < until
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    assert folders() <= before
    assert all(not family(pid) for pid in started)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    code, said, errors = result("accept", "--data", str(tmp_path))
    assert (code, said) == (1, "")
    assert "is not empty" in errors
    assert "Traceback" not in errors
    assert [entry.name for entry in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("connections", ["", "many", "0", "16,-1", "5000"])
def test_connections_that_make_no_sense_are_refused(connections: str) -> None:
    code, _, errors = result("accept", "--connections", connections)
    assert code == 1
    assert "give numbers from 1 to 4096" in errors
