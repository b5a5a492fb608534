"""Two machines on one database: what one loses, the other goes on with."""

import json
import subprocess
import sys

import pytest

from smsdesk.prove.networks import machines, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


def test_a_wire_that_is_cut_carries_nothing_and_all_is_gone_after() -> None:
    with machines(2) as made:
        listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
        assert all(machine.name in listed for machine in made)
        made[0].cut("back")
        links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
        states = {line.split("@")[0]: line.split()[1] for line in links.splitlines()}
        ours = [states[f"{made[0].name[-12:]}{wire}"] for wire in "bf"]
        assert ours == ["DOWN", "UP"]
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert not any(machine.name in listed for machine in made)


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_and_the_other_machine_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smsdesk", "prove", "nodes", "--rounds", "1", "--seed", "5", "--json"],
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    verdict = json.loads(done.stdout)
    counted = verdict["counted"]
    assert (counted["lost"], counted["doubled"], counted["kept"]) == ([], [], True)
    assert {one["blow"] for one in verdict["blows"]} == {"killed", "cut off", "cut off from the database"}
    for one in verdict["blows"]:
        assert one["taken_over"] < 25, one
        assert one["accept_gap"] < 8, f"what the lost machine had begun may hold others for five seconds: {one}"
