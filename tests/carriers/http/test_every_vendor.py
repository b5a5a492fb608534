"""What holds for every HTTP vendor that is registered, and each new one: how a request ends, and what that means."""

from typing import Any

import pytest

from smsdesk.carriers.contract import Doubtful, Refused, Unsent
from tests.carriers.http.kit import CLOSE, HANG, HTTP_TYPES, NOISE, RESET, Answer, line, outbound, vendor_server
from tests.kit.processes import free_port

pytestmark = pytest.mark.parametrize("kind", HTTP_TYPES)

PAGE = "<html>a proxy says something</html>"


@pytest.mark.parametrize("end", [RESET, CLOSE, NOISE], ids=["reset", "closed", "noise"])
async def test_a_request_that_was_written_and_not_answered_is_doubtful(kind: str, end: Answer) -> None:
    async with vendor_server(end) as vendor, line(kind, vendor.base_url) as running:
        running.carrier.send([outbound()])
        assert isinstance(await running.ledger.outcome_of(7), Doubtful)
        assert len(vendor.asked) == 1


async def test_no_answer_in_time_is_doubtful(kind: str) -> None:
    async with vendor_server(HANG) as vendor, line(kind, vendor.base_url, timeout=0.1, connect_timeout=0.1) as running:
        running.carrier.send([outbound()])
        assert await running.ledger.outcome_of(7) == Doubtful("no answer in time")


async def test_a_text_that_meets_no_server_is_unsent_and_the_line_comes_back_with_it(kind: str) -> None:
    port = free_port()
    async with vendor_server(port=port) as vendor, line(kind, vendor.base_url) as running:
        carrier = running.carrier
        await vendor.stop()
        carrier.send([outbound()])
        assert isinstance(await running.ledger.outcome_of(7), Unsent)
        assert (carrier.up(), carrier.room(), carrier.state()) == (False, 0, "down: connection refused")
        async with vendor_server(port=port) as again:
            await running.ledger.until(carrier.room)
            carrier.send([outbound(8)])
            await again.until_asked(1)


@pytest.mark.parametrize("body", [b"", b"\xff\x00", PAGE, [], [1], {}, {"messages": 7}, None, "0"], ids=repr)
async def test_a_yes_that_cannot_be_read_is_doubtful(kind: str, body: Any) -> None:
    async with vendor_server(Answer(200, body)) as vendor, line(kind, vendor.base_url) as running:
        running.carrier.send([outbound()])
        assert isinstance(await running.ledger.outcome_of(7), Doubtful)


@pytest.mark.parametrize("status", [301, 307, 408, 500, 502, 504])
async def test_a_page_of_somebody_else_decides_nothing(kind: str, status: int) -> None:
    answer = Answer(status, PAGE, {"Location": "/elsewhere"})
    async with vendor_server(answer) as vendor, line(kind, vendor.base_url) as running:
        running.carrier.send([outbound()])
        assert await running.ledger.outcome_of(7) == Doubtful(f"an answer that cannot be read: http {status}")
        assert len(vendor.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_vendor_that_asks_for_patience_gets_it(kind: str, status: int) -> None:
    answer = Answer(status, PAGE, {"Retry-After": "3600"})
    async with vendor_server(answer) as vendor, line(kind, vendor.base_url) as running:
        carrier = running.carrier
        rooms = running.ledger.rooms
        carrier.send([outbound()])
        outcome = await running.ledger.outcome_of(7)
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.code) == ("queue_full", f"http {status}")
        # throttle_longest of these tests: an hour would be the vendor's wish.
        assert outcome.retry_after == pytest.approx(0.2, abs=0.05)
        assert (carrier.room(), carrier.up()) == (0, True)
        assert carrier.state().startswith("up, slowed for 0.")
        await running.ledger.until(lambda: running.ledger.rooms > rooms and carrier.room())


@pytest.mark.parametrize("status", [401, 403])
async def test_a_vendor_that_knows_us_not_is_down_for_a_while(kind: str, status: int) -> None:
    async with vendor_server(Answer(status, PAGE)) as vendor, line(kind, vendor.base_url) as running:
        running.carrier.send([outbound()])
        assert await running.ledger.outcome_of(7) == Refused("carrier_error", f"http {status}", 60.0)
        assert (running.carrier.room(), running.carrier.up()) == (0, False)
        assert running.carrier.state() == f"down: the vendor takes nothing from this account (http {status})"


async def test_a_no_without_the_vendors_words_is_a_no(kind: str) -> None:
    async with vendor_server(Answer(400, PAGE)) as vendor, line(kind, vendor.base_url) as running:
        running.carrier.send([outbound()])
        assert await running.ledger.outcome_of(7) == Refused("unknown_error", "http 400")
