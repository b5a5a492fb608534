"""The load generator counts what the server did: no more answers, no fewer faults."""

import json
from collections.abc import Callable

import pytest
import uvloop

from smsdesk.bench.load import LoadResult, Plan, load
from smsdesk.bench.requests import SendRequests
from smsdesk.domain.phone import read_number
from tests.bench.lossy import BUSY, CHUNKED, EMPTY, HANG_UP, LAST, OK, SILENCE, Lossy, serving


def requests(**options: object) -> SendRequests:
    return SendRequests("127.0.0.1", ("acme", "t1"), "+16285550199", **options)  # type: ignore[arg-type]


async def measure(server: Lossy, connections: int = 4, **plan: float) -> LoadResult:
    async with serving(server) as port:
        return await load(Plan("127.0.0.1", port, connections, **plan), requests())  # type: ignore[arg-type]


def every(step: int, odd: bytes, usual: bytes = OK) -> Callable[[int], bytes]:
    return lambda number: odd if number % step == step - 1 else usual


def on_uvloop(server: Lossy, **plan: float) -> LoadResult:
    return uvloop.run(measure(server, **plan))


@pytest.mark.parametrize("split", [False, True])
def test_every_third_answer_is_an_error(split: bool) -> None:
    server = Lossy(every(3, BUSY), split)
    result = on_uvloop(server, requests=300)
    assert result.statuses == {200: 200, 503: 100}
    assert (result.answered, result.errors, result.faults) == (200, 100, {})
    assert result.samples == {503: '{"message": ""}'}
    assert len(server.heads) == 300


async def test_an_answer_without_a_body_is_an_answer() -> None:
    result = await measure(Lossy(every(2, EMPTY)), requests=20)
    assert (result.statuses, result.answered, result.errors) == ({200: 10, 204: 10}, 20, 0)


async def test_a_server_that_closes_politely_costs_no_request() -> None:
    result = await measure(Lossy(every(5, LAST)), requests=100)
    assert (result.statuses, result.errors) == ({200: 100}, 0)


async def test_a_dropped_connection_is_a_fault_and_the_load_goes_on() -> None:
    server = Lossy(every(4, HANG_UP))
    result = await measure(server, requests=100)
    assert (result.answered, sum(result.faults.values()), result.errors) == (75, 25, 25)
    assert len({body["end_user_number"] for body in server.bodies}) == 100


@pytest.mark.parametrize(
    "odd", [CHUNKED, OK + OK, b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"]
)
async def test_what_is_no_whole_plain_answer_is_a_fault(odd: bytes) -> None:
    result = await measure(Lossy(every(10, odd)), requests=50)
    assert (result.answered, result.faults) == (45, {"answer not understood": 5})


@pytest.mark.parametrize("split", [False, True])
async def test_an_answer_in_chunks_counts_where_the_plan_says_so(split: bool) -> None:
    result = await measure(Lossy(every(2, CHUNKED), split=split), requests=20, chunked=True)
    assert (result.answered, result.errors) == (20, 0)


async def test_an_answer_that_never_comes_is_a_fault() -> None:
    result = await measure(Lossy(every(2, SILENCE)), connections=2, requests=4, patience=0.2)
    assert (result.answered, result.faults) == (2, {"no answer in time": 2})


async def test_half_an_answer_is_no_answer() -> None:
    result = await measure(Lossy(lambda _: OK[:-1]), connections=3, requests=3, patience=0.2)
    assert (result.answered, result.faults) == (0, {"no answer in time": 3})


async def test_nobody_there_is_a_fault() -> None:
    async with serving(Lossy(lambda _: OK)) as port:
        pass
    result = await load(Plan("127.0.0.1", port, 2, requests=10, patience=0.1), requests())
    assert result.answered == 0
    assert result.errors == sum(result.faults.values()) > 0
    assert all(cause.startswith("no connection") for cause in result.faults)


def test_a_timed_run_counts_only_its_own_time() -> None:
    server = Lossy(lambda number: BUSY if number == 0 else OK)
    result = on_uvloop(server, seconds=0.2, warm_up=0.2)
    assert result.statuses == {200: result.answered}
    assert 0 < result.answered < len(server.heads)
    assert (result.outside, result.errors) == (1, 1)
    assert result.latency.p50_ms <= result.latency.p99_ms <= result.latency.max_ms
    assert result.per_second == pytest.approx(result.answered / result.seconds, rel=0.01)


async def test_a_quiet_run_waits_between_requests() -> None:
    result = await measure(Lossy(every(5, LAST)), connections=1, requests=12, pause=0.01)
    assert (result.answered, result.errors) == (12, 0)
    assert result.seconds >= 0.08


@pytest.mark.parametrize("wrong", [{"seconds": 1, "requests": 1}, {}, {"seconds": 1, "connections": 0}])
async def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a plan needs"):
        await load(Plan("127.0.0.1", 1, **{"connections": 1, **wrong}), requests())


async def test_every_request_is_whole_and_to_a_consumer_of_its_own() -> None:
    server = Lossy(lambda _: OK)
    make = requests(first=9_990, idempotency_keys="run-1-", message="Grüße 🎉")
    async with serving(server) as port:
        await load(Plan("127.0.0.1", port, 2, requests=50), make)
    numbers = [body["end_user_number"] for body in server.bodies]
    assert len(set(numbers)) == 50
    assert all(read_number(number) == number for number in numbers)
    assert {body["message"] for body in server.bodies} == {"Grüße 🎉"}
    keys = {line for head in server.heads for line in head.splitlines() if line.startswith("Idempotency-Key")}
    assert len(keys) == 50
    assert "Idempotency-Key: run-1-9990" in keys
    assert all("Authorization: Basic YWNtZTp0MQ==\r\n" in head for head in server.heads)


def test_the_consumers_repeat_only_after_two_million() -> None:
    make = requests()
    assert make.consumers > 2_000_000
    first, last, again = (
        json.loads(make(n).partition(b"\r\n\r\n")[2]) for n in (0, make.consumers - 1, make.consumers)
    )
    assert first == again
    assert first != last
