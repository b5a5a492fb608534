"""The model's arithmetic, what is measured beside it, small cores, and the command as a user runs it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from smsdesk.bench.processes import usage
from smsdesk.bench.scale.measure import Round
from smsdesk.bench.scale.model import Costs, accepted, both, delivered, size
from smsdesk.bench.scale.scale import BOTH, SHARE, ScalePlan, accepting, delivering, judge, read_costs
from smsdesk.bench.scale.small_cores import small_cores
from smsdesk.bench.scale.table import Scale, scale_to_markdown
from tests.bench.progress import split
from tests.bench.test_bench import bench

pytestmark = pytest.mark.xdist_group("bench")
LIMIT = 400.0
COSTS = Costs(api=100, accepting=60, worker=125, delivering=215, log=5_000, generator=40, lab=60)
PLAN = ScalePlan(processes=(1, 2), workers=(1, 2))


def test_processes_are_the_limit_until_the_cores_are() -> None:
    assert [accepted(COSTS, processes, 100) for processes in (1, 2, 4)] == [10_000, 20_000, 40_000]
    assert accepted(COSTS, 4, 2) == 10_000  # two cores, and 200 us of all for each send
    assert delivered(COSTS, 1, 100) == 8_000
    assert delivered(COSTS, 2, 2) == 5_000
    assert both(COSTS, 100) == 8_000
    assert both(COSTS, 3) == 5_000


def test_a_size_says_who_needs_the_cores() -> None:
    # 500 us each: 16 cores at 0.7 make 22,400 a second, and 3.2, 4 and 8.8 cores of them.
    assert size(COSTS, 16).per_second == 22_400
    assert (size(COSTS, 16).api, size(COSTS, 16).workers, size(COSTS, 16).postgresql) == (4, 4, 8.8)
    assert size(COSTS, 16).log_mb == 112.0


def found(**rates: float) -> dict[str, Round]:
    """Costs as in COSTS on whole cores, our own 1.25 times that on small ones; rates as the model has them."""
    send = {"api": 100.0, "PostgreSQL": 60.0, "load generator": 40.0}
    text = {"worker": 125.0, "PostgreSQL": 215.0, "lab": 60.0}
    made = {BOTH: Round(rates.get("both", 3_333.3), {**send, **text}, 5_000)}
    for n in (1, 2):
        made[accepting(n)] = Round(10_000, send, 2_000)
        made[delivering(n)] = Round(5_000, text, 3_000)
        made[accepting(n, small=True)] = Round(n * SHARE * 8_000, {**send, "api": 125.0}, 2_000)
        made[delivering(n, small=True)] = Round(n * SHARE * 6_400, {**text, "worker": 156.25}, 3_000)
    return made


def test_costs_are_those_of_one_process_of_each_kind_on_whole_cores() -> None:
    assert read_costs(found()) == COSTS


def test_what_behaves_as_the_model_says_has_no_error() -> None:
    errors = {one.name: one.error for one in judge(found(), PLAN, 2).measured}
    assert len(errors) == 9
    assert all(error == pytest.approx(0, abs=0.001) for error in errors.values())


def test_what_does_not_is_told() -> None:
    one = judge(found(both=2_500), PLAN, 2)
    assert next(each.error for each in one.measured if each.name == BOTH) == pytest.approx(1 / 3, abs=0.001)
    assert any(
        each.name.startswith("the model's largest error") and each.value == 33.33 for each in one.report.headlines
    )


def test_what_others_took_is_not_there_to_be_used() -> None:
    made = found(both=1_666.7)
    made[BOTH] = replace(made[BOTH], others=1.0)
    one = next(each for each in judge(made, PLAN, 2).measured if each.name == BOTH)
    assert (one.predicted, one.others) == (pytest.approx(1_666.7), 1.0)


def test_the_page_has_both_tables_and_the_inputs() -> None:
    made = judge(found(), PLAN, 2)
    page = scale_to_markdown(made.of(Scale("smsdesk bench scale", "2026-03-01", 9.0, {"cores": "2"}, (made.report,))))
    assert "| accepted by 2 API processes on small cores | 1,600 | 1,600 | +0% | api 125, PostgreSQL 60" in page
    assert "| 16 | 22,400 | 4 | 4 | 8.8 | 112 |" in page
    assert "API 100 and PostgreSQL 60 for an accepted send, worker 125 and PostgreSQL 215" in page


@pytest.fixture
def spinning() -> Iterator[list[int]]:
    """Two processes that would take a core each."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield [each.pid for each in started]
    for each in started:
        each.kill()
        each.wait()


def cpu(pid: int) -> float:
    used = usage(pid)
    assert used is not None
    return used.cpu_seconds


def test_a_small_core_is_a_small_one_and_whole_again_after(spinning: list[int]) -> None:
    with small_cores(spinning, 0.1) as done:
        if not done:
            pytest.skip("no control groups can be made here: this needs root")
        before, began = [cpu(pid) for pid in spinning], time.monotonic()
        while min(cpu(pid) - was for pid, was in zip(spinning, before, strict=True)) < 0.15:
            assert time.monotonic() - began < LIMIT
        took = time.monotonic() - began
        assert took > 1.2, "0.15 s of a tenth of a core take 1.5 s"
    groups = [Path(f"/proc/{pid}/cgroup").read_text() for pid in spinning]
    assert not any("smsdesk-" in group for group in groups)


@pytest.mark.slow
def test_the_command_measures_predicts_and_leaves_nothing(place: Path) -> None:
    words = ("--rounds", "1", "--seconds", "1", "--texts", "400", "--processes", "2", "--json")
    with bench("scale", *words) as process:
        said, errors = process.communicate(timeout=LIMIT)
    steps, others = split(errors)
    assert (process.returncode, others) == (0, "")
    total = steps[0][1]
    assert sorted(set(steps)) == [(done, total) for done in range(total)], "a line for each step, said before it"
    assert not any(place.iterdir())
    made = json.loads(said)
    measured = {one["name"]: one for one in made["measured"]}
    names = {accepting(1), accepting(2), delivering(1), delivering(2), BOTH}
    assert names <= measured.keys()
    assert all(
        one["per_second"] > 0 and min(one["cpu_us"].values()) > 0 and one["log"] > 0 for one in measured.values()
    )
    assert all(measured[name]["predicted"] > 0 for name in names)
    if small := measured.get(accepting(2, small=True)):
        most = 2 * SHARE * 1e6 / small["cpu_us"]["api"]
        assert small["per_second"] < 1.5 * most, "two tenths of a core have no more to give"
    assert made["costs"]["api"] == measured[accepting(1)]["cpu_us"]["api"]
    assert [one["cores"] for one in made["sizes"]] == [2, 4, 8, 16, 32]
    used = made["costs"]["api"] + made["costs"]["worker"] + made["costs"]["accepting"] + made["costs"]["delivering"]
    assert made["sizes"][3]["per_second"] == pytest.approx(0.7 * 16e6 / used, rel=0.001)
