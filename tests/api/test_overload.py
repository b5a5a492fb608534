"""What is let in is answered in time, whatever comes; who is turned away learns when to come again.

The rule is tried on a model of the server: one group at a time, a commit's fixed cost and a cost for each send.
"""

import asyncio
import heapq
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count

import aiohttp
import pytest

from smsdesk.api.overload import ALWAYS, AT_FIRST, FEW, LONG_LINE, LONGEST, LOOK, STALLED, TARGET, Overload
from tests.kit.api import Answer, Api
from tests.kit.processes import until

GROUP = 200
FULL_SPEED = (0.006, 1 / 7_500)
"""Seconds of a commit and of each send in it: some 6,100 a second in whole groups."""
CAPACITY = GROUP / (FULL_SPEED[0] + GROUP * FULL_SPEED[1])


@dataclass
class Model:
    """A server in a simulated time. `cost` may be changed while it runs."""

    cost: tuple[float, float] = FULL_SPEED
    now: float = 0.0
    waiting: deque[tuple[float, int]] = field(default_factory=deque)
    group: list[tuple[float, int]] = field(default_factory=list)
    group_ends: float = float("inf")
    took: list[tuple[float, float]] = field(default_factory=list)
    """When each who was let in came, and how long his answer took."""
    away: list[tuple[float, float]] = field(default_factory=list)
    """When each who was turned away came, and when he was told to come again."""

    def __post_init__(self) -> None:
        self.overload = Overload(lambda: self.now, random.Random(7).random, lambda _seconds, _call: None)

    def come(self, who: int = 0) -> bool:
        """Somebody comes now: whether he is let in."""
        if self.overload.is_full():
            self.away.append((self.now, self.now + self.overload.turn_away()))
            return False
        self.overload.began()
        self.waiting.append((self.now, who))
        self._start()
        return True

    def go_to(self, moment: float) -> Iterator[int]:
        """Works until then, and tells who is answered."""
        while self.group_ends <= moment:
            self.now, ended, self.group = self.group_ends, self.group, []
            self.group_ends = float("inf")
            for came, _ in ended:
                self.overload.ended()
                self.took.append((came, self.now - came))
            self._start()
            yield from (who for _, who in ended)
        self.now = moment

    def open_loop(self, rate: float, seconds: float) -> None:
        """So many come a second, by chance."""
        chance, end = random.Random(11), self.now + seconds
        while (coming := self.now + chance.expovariate(rate)) < end:
            deque(self.go_to(coming), 0)
            self.come()
        deque(self.go_to(end), 0)

    def closed_loop(self, connections: int, seconds: float) -> None:
        """Each comes again when he is answered, or as soon as he is told to."""
        end, events = self.now + seconds, [(self.now, number) for number in range(connections)]
        while events or self.group:
            coming = events[0][0] if events else float("inf")
            if min(coming, self.group_ends) > end:
                break
            if self.group_ends <= coming:
                for who in self.go_to(self.group_ends):
                    heapq.heappush(events, (self.now, who))
                continue
            deque(self.go_to(coming), 0)
            _, who = heapq.heappop(events)
            if not self.come(who):
                heapq.heappush(events, (self.away[-1][1], who))

    def _start(self) -> None:
        if not self.group and self.waiting:
            self.group = [self.waiting.popleft() for _ in range(min(GROUP, len(self.waiting)))]
            self.group_ends = self.now + self.cost[0] + self.cost[1] * len(self.group)

    def p99(self, begin: float = 0.0, end: float = float("inf")) -> float:
        """The p99 of those let in who came between."""
        times = sorted(took for came, took in self.took if begin <= came < end)
        return times[int(len(times) * 0.99)]

    def answered(self, begin: float, end: float) -> int:
        """How many of those who came between were let in and answered."""
        return sum(begin <= came < end for came, _ in self.took)

    def turned_away(self, begin: float, end: float = float("inf")) -> int:
        return sum(begin <= came < end for came, _ in self.away)


@pytest.mark.parametrize("connections", [1, 16, 64, 256, 400])
def test_nobody_is_turned_away_from_a_server_at_full_speed(connections: int) -> None:
    model = Model()
    model.closed_loop(connections, 5)
    assert model.away == []
    assert model.answered(0, 5) > 500


def test_a_burst_after_a_quiet_hour_comes_in() -> None:
    model = Model()
    model.open_loop(2, 3_600)
    model.closed_loop(256, 1)
    assert model.away == []


def test_a_burst_after_one_slow_answer_comes_in() -> None:
    model = Model(cost=(2.0, 0.0))
    model.come()
    deque(model.go_to(3), 0)
    model.cost = FULL_SPEED
    model.closed_loop(256, 1)
    assert model.away == []


@pytest.mark.parametrize("times", [1.5, 3, 10])
def test_what_is_let_in_during_a_flood_is_answered_in_time_and_is_no_less(times: float) -> None:
    model = Model()
    model.open_loop(times * CAPACITY, 10)
    assert model.answered(0, 10) / 10 > 0.95 * CAPACITY
    assert model.p99() < 0.25
    assert model.turned_away(0, 0.2) > 0  # early: not after seconds of waiting


def test_after_a_flood_half_the_load_comes_in_again_at_once() -> None:
    model = Model()
    model.open_loop(3 * CAPACITY, 10)
    model.open_loop(CAPACITY / 2, 5)
    assert model.turned_away(10.5) == 0
    assert model.p99(10.5) < 0.06


def test_a_server_that_becomes_slow_lets_in_less_and_then_more_again() -> None:
    model = Model()
    model.open_loop(0.9 * CAPACITY, 5)
    assert model.away == []
    model.cost = (0.02, 1 / 2_500)
    model.open_loop(0.9 * CAPACITY, 10)
    assert model.p99(7, 15) < 0.25
    assert model.answered(7, 15) / 8 > 1_600
    model.cost = FULL_SPEED
    model.open_loop(0.9 * CAPACITY, 5)
    assert model.turned_away(17) == 0


class Stalling(Model):
    """Its disk stands still for 0.4 s after two seconds."""

    def _start(self) -> None:
        self.cost = (0.4, FULL_SPEED[1]) if 2 <= self.now < 2.05 else FULL_SPEED
        super()._start()


def test_one_slow_sync_turns_nobody_away_who_waits_for_his_answers() -> None:
    model = Stalling()
    model.closed_loop(256, 5)
    assert max(took for _, took in model.took) > 0.4
    assert not model.away


def test_while_nothing_is_answered_nobody_else_comes_in() -> None:
    model = Model()
    model.open_loop(CAPACITY / 2, 5)
    model.cost = (20.0, 0.0)
    model.open_loop(CAPACITY / 4, 10)
    assert model.overload.waiting < STALLED * CAPACITY / 4 + 100
    model.cost = FULL_SPEED
    model.open_loop(CAPACITY / 2, 12)
    assert model.turned_away(26) == 0


def test_a_small_excess_over_what_a_slow_server_can_do_is_seen_before_anybody_waits_too_long() -> None:
    model = Model()
    model.open_loop(0.9 * CAPACITY, 5)
    model.cost = (0.02, 1 / 2_500)
    model.open_loop(2_200, 10)
    assert model.p99(5, 15) < 0.25


def test_a_quiet_time_before_a_flood_is_not_taken_for_slow_work() -> None:
    model = Model()
    model.open_loop(0.9 * CAPACITY, 5)
    deque(model.go_to(3_600), 0)
    model.open_loop(3 * CAPACITY, 0.4)
    assert model.overload.most > 0.7 * TARGET * CAPACITY


def test_what_lay_unread_leaves_less_room_and_a_loop_that_is_quick_again_gives_it_back() -> None:
    looks: deque[Callable[[], None]] = deque()
    model = Model()
    model.overload = Overload(lambda: model.now, random.Random(7).random, lambda _seconds, look: looks.append(look))
    model.open_loop(3 * CAPACITY, 1)
    room = model.overload.most
    assert len(looks) == 1

    def turn(seconds: float) -> None:
        model.now += seconds
        looks.popleft()()

    turn(LOOK)  # since the first look more has passed
    turn(LOOK + TARGET / 3)
    assert model.overload.most == pytest.approx(2 / 3 * room, rel=0.01)
    turn(LOOK)
    assert model.overload.most == pytest.approx(room, rel=0.01)
    turn(10 * TARGET)
    assert model.overload.most == ALWAYS
    deque(model.go_to(model.now + 1), 0)
    turn(LOOK)
    assert not looks
    assert model.overload.most == pytest.approx(room, rel=0.05)


def test_however_slow_the_answers_are_some_come_in() -> None:
    model = Model(cost=(1.0, 0.0))
    model.open_loop(1_000, 60)
    assert model.answered(20, 60) >= 0.45 * 40 * GROUP  # the first who comes is a group alone
    assert model.overload.most == ALWAYS


def test_while_a_long_line_waits_to_be_refused_only_few_come_in() -> None:
    overload = Model().overload
    for _ in range(FEW - 1):
        overload.began()
    assert not overload.is_full(LONG_LINE)
    overload.began()
    assert overload.is_full(LONG_LINE)
    assert not overload.is_full(LONG_LINE - 1)
    overload.ended()
    assert not overload.is_full(LONG_LINE)


def test_those_turned_away_come_again_one_after_another() -> None:
    model = Model()
    model.open_loop(3 * CAPACITY, 3)
    seconds = Counter(int(again) for _, again in model.away)
    assert min(again - came for came, again in model.away) >= 1
    assert max(again - came for came, again in model.away) <= LONGEST
    assert len(seconds) >= 5
    assert max(seconds.values()) < 1.5 * CAPACITY


def test_a_small_excess_comes_again_soon() -> None:
    model = Model()
    model.open_loop(1.2 * CAPACITY, 5)
    assert model.away
    assert max(again - came for came, again in model.away) < 1.2


@asynccontextmanager
async def nothing_is_committed(api: Api) -> AsyncIterator[None]:
    """The database takes no chats for a while."""
    async with api.db.transaction(), asyncio.timeout(30):
        await api.db.execute("lock table chats in access exclusive mode")
        yield


@pytest.fixture
async def crowd(api: Api) -> AsyncIterator["Crowd"]:
    """Sends so many at once, each over a connection of its own, to a consumer of its own."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        every, numbers = replace(api, http=http), count()
        yield lambda many: [
            asyncio.create_task(every.send(end_user_number=f"+1212555{next(numbers):04}")) for _ in range(many)
        ]


Crowd = Callable[[int], list[asyncio.Task[Answer]]]


async def test_a_server_whose_database_stands_still_turns_away_early_and_keeps_what_it_took(
    api: Api, crowd: Crowd
) -> None:
    async with nothing_is_committed(api):
        taken = crowd(AT_FIRST + 100)

        async def full() -> bool:
            came = api.services.overload.waiting + sum(one.done() for one in taken)
            return came == len(taken) and api.services.overload.is_full()

        await until(full, 20, "all have come, and there is no room for more")
        away = await asyncio.gather(*crowd(40))
    assert {answer.status for answer in away} == {503}
    assert all(1 <= int(answer.headers["Retry-After"]) <= LONGEST for answer in away)
    assert {answer.headers["Content-Type"] for answer in away} == {"application/json"}
    answers = await asyncio.gather(*taken)
    accepted = sum(answer.status == 200 for answer in answers)
    assert accepted >= ALWAYS
    assert accepted + sum(answer.status == 503 for answer in answers) == len(taken)
    assert await api.count("chats") == accepted
    assert api.services.overload.waiting == 0
    assert (await api.send()).status == 200


async def test_who_is_not_known_and_what_is_not_whole_takes_no_place(api: Api) -> None:
    async with nothing_is_committed(api):
        for number in range(20):
            assert (await api.send(auth=("acme", f"guess {number}"))).status == 401
            assert (await api.call("POST", "/apps/api/v1/sms", data=b"[")).status in {400, 415}
        assert api.services.overload.waiting == 0


async def test_a_flood_of_strangers_is_turned_away_like_all_others(api: Api, crowd: Crowd) -> None:
    async with nothing_is_committed(api):
        taken = crowd(AT_FIRST)

        async def full() -> bool:
            return (await api.send(auth=("acme", "a guess"))).status == 503

        await until(full, 20, "strangers are turned away before they are asked who they are")
    await asyncio.gather(*taken)
