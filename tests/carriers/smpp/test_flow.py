"""How a line settles under a carrier's limit, simulated: thousands of seconds in one."""

import heapq
from collections import deque
from collections.abc import Callable

import pytest

from smsdesk.carriers.smpp.timers import Flow

Limiter = Callable[[float], bool]


def fixed_seconds(limit: int) -> Limiter:
    """Counts anew with each second of the clock; what it refuses counts too."""
    counted: dict[int, int] = {}

    def passes(now: float) -> bool:
        counted[int(now)] = counted.get(int(now), 0) + 1
        return counted[int(now)] <= limit

    return passes


def any_second(limit: int) -> Limiter:
    """At most so many in any second, wherever it begins."""
    passed: deque[float] = deque()

    def passes(now: float) -> bool:
        while passed and passed[0] <= now - 1:
            passed.popleft()
        if len(passed) >= limit:
            return False
        passed.append(now)
        return True

    return passes


class Simulation:
    """A line with more to send than its carrier takes, on a clock of its own."""

    def __init__(self, limiter: Limiter, round_trip: float = 0.02, window: int = 50) -> None:
        self.flow = Flow(1.0, 30.0)
        self.limiter = limiter
        self.now = 0.0
        self.taken: list[tuple[float, int]] = []
        self.rests: list[float] = []
        self._round_trip = round_trip
        self._window = window
        self._answers: list[tuple[float, int, bool]] = []
        self._again: list[int] = []
        self._next = 0

    def run(self, until: float) -> None:
        while self.now < until:
            while self._answers and self._answers[0][0] <= self.now:
                self._answered(*heapq.heappop(self._answers)[1:])
            while len(self._answers) < self._window and not self.flow.remaining(self.now):
                self._send()
            waits = [self._answers[0][0]] if self._answers else []
            waits += [self.now + self.flow.remaining(self.now)] if self.flow.remaining(self.now) else []
            self.now = max(min(waits), self.now + 0.001)

    def _answered(self, text: int, taken: bool) -> None:
        if taken:
            self.flow.took(self.now)
            self.taken.append((self.now, text))
            return
        heapq.heappush(self._again, text)
        if self.flow.hit(self.now):
            self.rests.append(self.now)

    def _send(self) -> None:
        if self._again:
            text = heapq.heappop(self._again)
        else:
            text, self._next = self._next, self._next + 1
        self.flow.sent(self.now)
        heapq.heappush(self._answers, (self.now + self._round_trip, text, self.limiter(self.now)))

    def per_second(self, since: float, until: float) -> float:
        return sum(since <= at < until for at, _ in self.taken) / (until - since)


@pytest.mark.parametrize("limiter", [fixed_seconds, any_second])
@pytest.mark.parametrize("limit", [10, 50, 200])
@pytest.mark.parametrize("round_trip", [0.001, 0.05])
def test_it_settles_within_a_tenth_of_the_limit_in_thirty_seconds(
    limiter: Callable[[int], Limiter], limit: int, round_trip: float
) -> None:
    line = Simulation(limiter(limit), round_trip)
    line.run(90.0)
    assert line.per_second(30, 60) >= 0.9 * limit
    assert line.per_second(60, 90) >= 0.9 * limit
    assert len([at for at in line.rests if at >= 30]) <= 20
    numbers = sorted(text for _, text in line.taken)
    assert numbers[: len(numbers) // 2] == list(range(len(numbers) // 2)), "something was lost"


def test_one_text_at_a_time_keeps_the_order_whole() -> None:
    line = Simulation(fixed_seconds(10), window=1)
    line.run(60.0)
    assert [text for _, text in line.taken] == list(range(len(line.taken)))


def test_it_follows_a_limit_down_and_up_and_forgets_it() -> None:
    line = Simulation(any_second(50))
    line.run(30.0)
    line.limiter = any_second(10)
    line.run(90.0)
    assert 9 <= line.per_second(60, 90) <= 10.4
    line.limiter = any_second(200)
    line.run(200.0)
    assert line.per_second(170, 200) >= 180
    assert line.flow.rate(line.now + Flow.CALM) == float("inf")
    assert line.flow.remaining(line.now + Flow.CALM) == 0.0


def test_a_carrier_that_takes_nothing_is_asked_less_and_less_and_found_again() -> None:
    line = Simulation(lambda now: not 10 <= now < 40)
    line._window = 5
    line.run(40.0)
    assert len(line.rests) <= 8, "each rest is twice as long"
    line.run(90.0)
    assert line.per_second(80, 90) > 100


def test_a_guess_of_nothing_known_begins_with_one_a_second() -> None:
    flow = Flow(1.0, 30.0)
    assert flow.free(5.0) > 1_000_000
    assert flow.hit(5.0)
    assert not flow.hit(5.5), "one rest, however many were refused"
    assert flow.rest(5.5) == 0.5
    assert flow.free(5.5) == 0
    assert flow.remaining(5.5) == 0.5
    assert flow.free(6.0) == 1
    flow.sent(6.0)
    assert flow.remaining(6.0) == pytest.approx(1.0, abs=0.2)
