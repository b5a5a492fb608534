"""Limits that are never passed, in any window, however long the way to the carrier is; and that are used."""

import heapq
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.domain.pace import Limit, Pacer, Sender, SlidingWindow
from smsdesk.prove.windows import Arrival, first_passed, used

CARRIER = "upstream"


def merged(arrivals: dict[str, list[Arrival]], *sources: str) -> list[Arrival]:
    return sorted((one for source in sources for one in arrivals.get(source, [])), key=lambda one: one.at)


class Flood:
    """Endless work of several numbers, in turn: the simulation of an hour without a list of an hour's texts."""

    def __init__(self, pacer: Pacer, sources: list[str], seed: int) -> None:
        self.pacer, self.sources, self.chance = pacer, sources, random.Random(seed)
        self.arrivals: dict[str, list[Arrival]] = {source: [] for source in sources}

    def run(self, seconds: float, way: tuple[float, float]) -> None:
        now = 0.0
        answers: list[tuple[float, str, int]] = []
        while now < seconds:
            while answers and answers[0][0] <= now:
                at, source, segments = heapq.heappop(answers)
                self.pacer.answered(source, CARRIER, segments, at)
            waits = []
            for source in self.sources:
                while not (wait := self.pacer.wait(source, CARRIER, 1, now)):
                    self.pacer.take(source, CARRIER, 1)
                    answered = now + self.chance.uniform(*way)
                    self.arrivals[source].append(Arrival(self.chance.uniform(now, answered)))
                    heapq.heappush(answers, (answered, source, 1))
                waits.append(now + wait)
            now = max(min([*waits, answers[0][0] if answers else now + 1]), now + 1e-6)
        for those in self.arrivals.values():
            those.sort(key=lambda one: one.at)


def test_an_hour_at_full_load_under_five_limits_at_once() -> None:
    limits = [
        Limit("number", "+1", 10, 1.0),
        Limit("number", "+2", 4, 1.0),
        Limit("campaign", "alerts", 600, 60.0),
        Limit("carrier", CARRIER, 800, 60.0),
        Limit("tenant", "", 14, 1.0),
        Limit("brand", "acme", 20_000, 1800.0),
    ]
    senders = {"+1": Sender("alerts", "acme"), "+2": Sender(None, "acme"), "+3": Sender("alerts", None)}
    flood = Flood(Pacer(limits, senders), ["+1", "+2", "+3"], seed=7)
    flood.run(3600.0, (0.001, 0.004))
    logs = flood.arrivals
    assert sum(map(len, logs.values())) > 40_000
    assert first_passed(logs["+1"], 10, 1.0) is None
    assert first_passed(logs["+2"], 4, 1.0) is None
    assert first_passed(merged(logs, "+1", "+3"), 600, 60.0) is None
    assert first_passed(merged(logs, "+1", "+2", "+3"), 800, 60.0) is None
    assert first_passed(merged(logs, "+1", "+2", "+3"), 14, 1.0) is None
    assert first_passed(merged(logs, "+1", "+2"), 20_000, 1800.0) is None
    # What binds them all is the carrier's limit.
    assert used(merged(logs, "+1", "+2", "+3"), 800, 60.0) >= 0.95


@pytest.mark.parametrize(("cap", "seconds"), [(1, 1.0), (10, 1.0), (225, 1.0), (75, 60.0), (2000, 86_400.0)])
def test_each_limit_alone_is_used_and_never_passed(cap: int, seconds: float) -> None:
    flood = Flood(Pacer([Limit("number", "+1", cap, seconds)], {}), ["+1"], seed=cap)
    flood.run(seconds * 20, (0.002, 0.01))
    assert first_passed(flood.arrivals["+1"], cap, seconds) is None
    assert used(flood.arrivals["+1"], cap, seconds) >= 0.95


@settings(max_examples=60, deadline=None)
@given(
    cap=st.integers(1, 30), seconds=st.sampled_from([0.5, 1.0, 7.0, 60.0]), slowest=st.floats(0.001, 30.0),
    seed=st.integers(0, 999),
)  # fmt: skip
def test_no_way_is_too_long_for_it(cap: int, seconds: float, slowest: float, seed: int) -> None:
    flood = Flood(Pacer([Limit("number", "+1", cap, seconds)], {}), ["+1"], seed)
    flood.run(seconds * 12, (0.0, slowest))
    assert first_passed(flood.arrivals["+1"], cap, seconds) is None


def test_the_checker_sees_one_too_many() -> None:
    arrivals = [Arrival(at / 10) for at in range(100)]
    assert first_passed(arrivals, 10, 1.0) is None
    arrivals.insert(50, Arrival(4.95))
    assert first_passed(arrivals, 10, 1.0) is not None
    assert used([Arrival(at / 5) for at in range(100)], 10, 1.0) == pytest.approx(0.5)


def test_more_segments_than_the_cap_leave_alone() -> None:
    window = SlidingWindow(2, 1.0)
    assert window.wait(5, 0.0) == 0.0
    window.take(5)
    assert window.wait(1, 0.1) > 0
    window.answered(5, 0.2)
    assert window.wait(5, 0.3) == pytest.approx(0.9)
    assert window.wait(5, 1.2) == 0.0


def test_what_is_set_aside_is_not_promised_twice() -> None:
    pacer = Pacer([Limit("number", "+1", 5, 1.0)], {})
    assert pacer.coming("+1", CARRIER, 0.0, 0.1) == 5
    pacer.set_aside("+1", CARRIER, 3)
    assert pacer.coming("+1", CARRIER, 0.0, 0.1) == 2
    assert pacer.wait("+1", CARRIER, 5, 0.0) == 0.0, "what is set aside is for those who leave"
    pacer.set_aside("+1", CARRIER, -3)
    assert pacer.coming("+1", CARRIER, 0.0, 0.1) == 5


def test_what_comes_free_in_a_moment_is_seen_without_being_free() -> None:
    pacer = Pacer([Limit("tenant", "", 1, 1.0)], {})
    pacer.take("+1", CARRIER, 1)
    pacer.answered("+1", CARRIER, 1, 0.0)
    assert pacer.coming("+1", CARRIER, 0.95, 0.1) == 1
    assert pacer.wait("+1", CARRIER, 1, 0.95) == pytest.approx(0.05)


def test_what_was_let_go_before_counts() -> None:
    pacer = Pacer([Limit("brand", "acme", 100, 86_400.0)], {"+1": Sender(None, "acme")})
    pacer.count("+1", CARRIER, 100, at=-3600.0)
    assert pacer.coming("+1", CARRIER, 0.0, 0.1) == 0
    assert pacer.wait("+1", CARRIER, 1, 0.0) == pytest.approx(86_400.0 - 3600.0)
    assert pacer.coming("+2", CARRIER, 0.0, 0.1) is None, "another brand's number has no limit"


def test_a_limit_that_lets_nothing_through_is_none() -> None:
    with pytest.raises(ValueError, match="at least one segment"):
        SlidingWindow(0, 1.0)
