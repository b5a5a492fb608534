"""The command as a user runs it: real processes, figures that agree with the database, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smsdesk.bench.processes import family
from tests.bench.progress import split

LIMIT = 120.0
MIGRATIONS = Path(__file__).parents[2] / "src/smsdesk/store/migrations"

# One after another: each wants the machine for itself.
pytestmark = pytest.mark.xdist_group("bench")


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
def test_both_benchmarks_report_what_they_measured_and_leave_nothing(place: Path) -> None:
    code, said, errors = result(
        "all", "--seconds", "1", "--rounds", "1", "--connections", "4,8", "--texts", "1500", "--json"
    )
    assert code == 0, errors
    steps, others = split(errors)
    assert others == ""
    assert {total for _, total in steps} == {len(steps) - 2}, "PostgreSQL is started twice"
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] == steps[-1][1] - 1, "the last step is under way"
    assert not any(place.iterdir())
    found = json.loads(said)
    assert found["command"].startswith("smsdesk bench all --seconds 1")
    assert {"smsdesk", "Python", "PostgreSQL", "cores", "busy with other work before"} <= found["machine"].keys()
    accept, deliver = found["reports"]
    rates = {row["name"]: row["per_second"] for row in accept["rows"]}
    ours, alone = rates["accepted, 8 connections"], rates["PostgreSQL alone, 1 statement a transaction, 8 clients"]
    assert accept["headlines"][0]["value"] == pytest.approx(ours / alone, abs=0.01)
    # Sends that leave by the clock may meet a standstill, and 503: the cores are shared with other tests.
    assert [row["name"] for row in accept["rows"] if row["errors"]] == []
    assert [row["name"] for row in [*accept["rows"], *deliver["rows"]] if not row["per_second"] > 0] == []
    assert {each["name"] for each in accept["costs"]} == {"api", "PostgreSQL", "load generator"}
    assert {each["name"] for each in deliver["costs"]} == {"worker", "PostgreSQL", "lab"}
    assert all(each["cpu_us_each"] > 0 for each in [*accept["costs"], *deliver["costs"]])


@pytest.mark.slow
def test_a_reply_is_waited_for_at_a_hundred_desks(place: Path) -> None:
    code, said, errors = result("desk", "--rate", "5", "--seconds", "2", "--json")
    assert (code, split(errors)[1]) == (0, "")
    assert not any(place.iterdir())
    (desk,) = json.loads(said)["reports"]
    assert [each["most"] for each in desk["headlines"]] == [300.0, 2000.0]
    assert all(0 < each["value"] < 30_000 for each in desk["headlines"])
    assert {each["name"] for each in desk["costs"]} == {"api", "worker", "PostgreSQL"}
    assert all(each["cpu_us_each"] > 0 for each in desk["costs"])


@pytest.mark.slow
def test_a_flood_is_answered_in_full_and_counted(place: Path) -> None:
    """The bench itself fails where a request got neither 200 nor 503, or the database has other sends than those."""
    code, said, errors = result("overload", "--seconds", "1", "--rate", "600", "--stubborn", "20", "--json")
    assert (code, split(errors)[1]) == (0, "")
    assert not any(place.iterdir())
    (overload,) = json.loads(said)["reports"]
    found = {each["name"]: each for each in overload["headlines"]}
    (share,) = (each for name, each in found.items() if name.startswith("accepted at"))
    assert (share["least"], share["value"] > 0) == (0.8, True)
    assert found["growth of the API process"]["most"] == 30.0
    accepted = [row["per_second"] for row in overload["rows"] if row["name"].endswith(": accepted")]
    assert [rate > 0 for rate in accepted] == [True] * 3


@pytest.mark.slow
def test_texts_leave_under_an_old_snapshot(place: Path) -> None:
    code, said, errors = result("snapshot", "--rate", "200", "--slices", "1", "--json")
    assert (code, split(errors)[1]) == (0, "")
    assert not any(place.iterdir())
    (snapshot,) = json.loads(said)["reports"]
    dead = [int(re.findall("([0-9,]+) dead rows", row["note"])[0].replace(",", "")) for row in snapshot["rows"]]
    assert all(row["per_second"] > 0 and not row["errors"] for row in snapshot["rows"])
    assert dead[1] > 1_000, "what left in ten seconds is still there"


@pytest.mark.slow
def test_versions_of_the_accept_statement_take_turns(place: Path) -> None:
    former = next(MIGRATIONS.glob("0020_*.sql"))
    code, said, errors = result("variants", str(former), "--group", "4", "--groups", "10", "--json")
    assert (code, split(errors)[1]) == (0, "")
    assert not any(place.iterdir())
    (variants,) = json.loads(said)["reports"]
    assert [row["name"] for row in variants["rows"]] == ["in use", former.name]
    assert all(row["per_second"] > 0 for row in variants["rows"])
    assert all(used["cpu_us_each"] > 0 for used in variants["costs"])
    (ratio,) = variants["headlines"]
    assert ratio["value"] > 0


NOTHING = "create function accept_sends() returns {} language plpgsql as $$\nbegin\nend $$;"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("select 1", "makes no function accept_sends"),
        (NOTHING.format("what_is_not_there"), "PostgreSQL refuses it"),
        (NOTHING.format("void"), "takes or gives other values"),
    ],
)
def test_a_version_that_cannot_be_measured(place: Path, tmp_path: Path, sql: str, why: str) -> None:
    file = tmp_path / "other.sql"
    file.write_text(sql)
    code, said, errors = result("variants", str(file))
    assert (code, said) == (1, "")
    assert why in errors
    assert "Traceback" not in errors
    assert not any(place.iterdir())


@pytest.mark.slow
def test_ctrl_c_ends_all_that_was_started(place: Path) -> None:
    with bench("deliver", "--texts", "500000") as process:
        until = time.monotonic() + LIMIT
        while len(started := family(process.pid)) < 3:  # itself, the lab, the worker
            assert process.poll() is None
            assert time.monotonic() < until
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    assert not any(place.iterdir())
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
