"""The open loop: everything that is due is sent and counted, and what the generator was late by is no server's time."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from smsdesk.bench import flood as generator
from smsdesk.bench.flood import NO_ANSWER, FloodResult, Phase, flood
from smsdesk.bench.latency import Latency, summarize
from smsdesk.bench.overload import MOST_LATE, SHARES, TRY, OverloadPlan, Taken, headlines, recovered, sustained
from smsdesk.bench.report import Row
from smsdesk.bench.requests import SendRequests
from tests.bench.lossy import BUSY, HANG_UP, LAST, OK, SILENCE, Lossy, serving

make = SendRequests("127.0.0.1", ("acme", "t1"), "+16285550199")


@contextmanager
def running(lossy: Lossy) -> Iterator[int]:
    """The server in a thread of its own, since the generator takes the whole of its thread."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        over = asyncio.Event()
        async with serving(lossy) as port:
            ports.append(port)
            loop.over = over  # type: ignore[attr-defined]
            ready.set()
            await over.wait()
            talks = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*talks)  # they end with the generator's connections
            for _ in range(3):
                await asyncio.sleep(0)  # a transport closes a turn after it was told to

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.over.set)  # type: ignore[attr-defined]
        thread.join(10)
        loop.close()


def flooded(lossy: Lossy, *phases: Phase, ready: int = 4, request: Callable[[int], bytes] = make) -> FloodResult:
    with running(lossy) as port:
        return flood(("127.0.0.1", port), phases, request, ready=ready)


def test_all_that_is_due_is_sent_once_and_counted_by_its_answer() -> None:
    server = Lossy(lambda number: BUSY if number % 3 == 2 else OK)
    heard = list[int]()
    with running(server) as port:
        found = flood(("127.0.0.1", port), [Phase(300, 0.5), Phase(600, 0.5)], make, heard.append)
    assert (found.count(200), found.count(503), len(found.status)) == (300, 150, 450)
    assert len({body["end_user_number"] for body in server.bodies}) == 450
    assert heard == [0, 1, 2]
    assert sum(1 for _ in found.between(0, 0.5)) == 150
    gaps = {later - each for each, later in zip(sorted(found.due), sorted(found.due)[1:], strict=False)}
    assert gaps <= set(range(1_666_000, 1_667_000)) | set(range(3_333_000, 3_334_000))


def test_answers_in_pieces_are_whole_answers() -> None:
    assert flooded(Lossy(lambda _: OK, split=True), Phase(200, 0.5)).count(200) == 100


def test_what_gets_no_answer_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "PATIENCE", 2.0)
    found = flooded(Lossy(lambda number: (OK, HANG_UP, SILENCE, LAST)[number % 4]), Phase(200, 0.5))
    assert (found.count(200), found.count(NO_ANSWER)) == (50, 50)


def test_what_is_neither_accepted_nor_turned_away_is_kept_to_be_shown() -> None:
    odd = b"HTTP/1.1 418 Teapot\r\ncontent-length: 2\r\n\r\n{}"
    found = flooded(Lossy(lambda _: odd), Phase(100, 0.1))
    assert found.sample == odd


def test_a_server_that_lets_all_wait_owes_all_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the last connection requests wait in the generator: it is the server that they wait for."""
    monkeypatch.setattr(generator, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(generator, "PATIENCE", 0.3)
    found = flooded(Lossy(lambda _: SILENCE), Phase(100, 1), ready=2)
    assert found.connections == 2
    assert found.count(NO_ANSWER) == 100
    assert summarize(found.took).p99_ms > 1_200
    assert summarize(found.late).p99_ms < 300


def test_a_generator_that_is_late_says_so_and_does_not_blame_the_server() -> None:
    def slow(number: int) -> bytes:
        if number == 50:
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                pass
        return make(number)

    found = flooded(Lossy(lambda _: OK), Phase(200, 1), request=slow)
    assert found.count(200) == 200
    assert summarize(found.late).p99_ms > 400
    assert summarize(found.took).p90_ms < 200


def result_of(*answers: tuple[float, float, int]) -> FloodResult:
    """Of answers: when each was due in seconds, how many milliseconds it took, its status."""
    found = FloodResult()
    for due, took, status in answers:
        found.due.append(int(due * 1e9))
        found.took.append(int(took * 1e6))
        found.late.append(0)
        found.status.append(status)
    return found


def test_the_time_until_all_is_as_before_ends_with_the_first_calm_second() -> None:
    def found(*bad: int) -> tuple[float, int]:
        """With slow answers in these quarters of a second, and one that is turned away in the last of them."""
        quarters = {n // 25: n for n in range(400)}  # the last answer of each
        after = [
            (10 + n / 100, 300.0 if n // 25 in bad else 5.0, 503 if bad and n == quarters[bad[-1]] else 200)
            for n in range(400)
        ]
        return recovered(result_of(*after), 10, 14, 50)

    assert found() == (0.0, 0)
    assert found(2, 4) == (1.25, 0)
    assert found(0, 4, 9) == (1.25, 1), "three quarters are no second; what comes after a calm one is told apart"
    assert found(*range(0, 16, 3)) == (4.0, 0), "it never was"
    assert found(0, 3, 6, 9, 13) == (4.0, 0), "the end comes before a whole second"


@pytest.mark.parametrize(("bad", "share"), [(0, SHARES[0]), (1, SHARES[0]), (3, SHARES[2]), (9, SHARES[3])])
@pytest.mark.parametrize("how", [(900.0, 200), (1.0, 503), (1.0, NO_ANSWER)])
def test_the_sustainable_rate_is_the_last_before_a_bad_one(bad: int, share: float, how: tuple[float, int]) -> None:
    each = [(number, place * TRY + 2) for place, number in enumerate(range(len(SHARES)))]
    answers = [(due, *(how if number == bad else (5.0, 200))) for number, due in each]
    assert sustained(result_of(*answers)) == share


def of_a_flood(p99: float, late: float) -> dict[str, bool]:
    """What is promised of a flood in which the p99 and the generator's delay were these, and whether it is kept."""
    during = Taken("x", 10, Latency(p99_ms=p99), Latency(), {200: 9_000}, Latency(p99_ms=late))
    said = headlines(OverloadPlan(), Row("", 1_000.0), during, (1.0, 0))
    return {re.sub(",.*", "", each.name): each.kept for each in said if each.most is not None}


def test_where_the_generator_was_late_itself_times_are_no_promise_kept_or_missed() -> None:
    assert of_a_flood(240, 10) == {"p99 of what is accepted": True, "until p99 is as before": True}
    assert of_a_flood(260, MOST_LATE)["p99 of what is accepted"] is False
    assert of_a_flood(260, MOST_LATE + 1) == of_a_flood(10, MOST_LATE + 1) == {}
