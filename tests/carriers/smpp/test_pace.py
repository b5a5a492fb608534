"""The limits of a text's tenant and of a line, on the wire; and what is past its time."""

import math
import time
from datetime import UTC, datetime, timedelta

from smsdesk.carriers.contract import Accepted, Doubtful, OutboundText, Refused, Unpaced, Unsent
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.status import Status

from .rig import outbound, talking


class Turnstile:
    """A pace that opens when the test says so, and keeps its books."""

    def __init__(self, wait: float = 0.05) -> None:
        self.shut: set[int] = set()
        self.stop_after = math.inf
        """How many are taken before nothing may leave any more."""
        self.open = 0
        self.taken: list[tuple[int, int]] = []
        self._wait = wait

    def take(self, text: OutboundText, segments: int) -> float:
        if len(self.taken) >= self.stop_after:
            return math.inf
        if text.text_id in self.shut:
            return self._wait
        self.open += segments
        self.taken.append((text.text_id, segments))
        return 0.0

    def answered(self, text: OutboundText, segments: int) -> None:
        self.open -= segments
        assert self.open >= 0


async def test_each_part_asks_and_each_answer_is_told() -> None:
    pace = Turnstile()
    async with talking(around={"pace": pace}, response_timeout=0.2) as (running, peer):
        running.carrier.send([outbound(1, "a" * 400), outbound(2), outbound(3), outbound(4)])
        first, second, third, *others = await peer.read_many(smpp.SubmitSm, 6)
        assert pace.taken == [(1, 1), (1, 1), (1, 1), (2, 1), (3, 1), (4, 1)]
        assert pace.open == 6
        peer.take(first, second, third)
        peer.refuse(Status.RINVDSTADR, others[0])
        await running.ledger.until(lambda: pace.open == 2)
        await running.ledger.until(lambda: len(running.ledger.outcomes) == 4)
        assert pace.open == 0, "doubtful parts are told too"


async def test_a_lost_line_gives_back_what_it_took() -> None:
    pace = Turnstile()
    async with talking(around={"pace": pace}) as (running, peer):
        running.carrier.send([outbound(1), outbound(2)])
        await peer.read_many(smpp.SubmitSm, 2)
        peer.drop()
        await running.ledger.until(lambda: len(running.ledger.outcomes) == 2)
        assert pace.open == 0


async def test_a_payload_asks_for_all_of_its_segments_at_once() -> None:
    pace = Turnstile()
    async with talking(around={"pace": pace}, long_texts="payload") as (running, peer):
        running.carrier.send([outbound(1, "a" * 400)])
        submit = await peer.read(smpp.SubmitSm)
        assert pace.taken == [(1, 3)]
        peer.take(submit)
        assert await running.ledger.outcome_of(1) == Accepted(("id-1", "id-1", "id-1"))
        assert pace.open == 0


async def test_a_text_that_is_held_lets_others_pass_and_leaves_in_its_time() -> None:
    pace = Turnstile(0.0001)
    pace.shut = {1}
    async with talking(around={"pace": pace}) as (running, peer):
        running.carrier.send([outbound(1), outbound(2)])
        submit = await peer.read(smpp.SubmitSm)
        assert submit.tlvs[smpp.Tag.USER_MESSAGE_REFERENCE] == b"\0\2"
        await peer.nothing_comes(0.05)
        pace.shut.clear()
        peer.take(submit, await peer.read(smpp.SubmitSm))
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))


async def test_what_is_held_at_the_end_was_never_sent() -> None:
    pace = Turnstile()
    pace.shut = {1}
    async with talking(around={"pace": pace}) as (running, peer):
        running.carrier.send([outbound(1)])
        await peer.nothing_comes(0.02)
        running.task.cancel()
        peer.send(smpp.UnbindResp((await peer.read(smpp.Unbind)).sequence_number))
        assert await running.ledger.outcome_of(1) == Unsent("the line is being closed")


async def test_what_must_not_leave_any_more_ends_the_session() -> None:
    pace = Turnstile()
    async with talking(around={"pace": pace}) as (running, peer):
        pace.stop_after = 1
        running.carrier.send([outbound(1, "a" * 400), outbound(2)])
        await peer.read(smpp.SubmitSm)
        await peer.ended()
        assert isinstance(await running.ledger.outcome_of(1), Doubtful)
        assert isinstance(await running.ledger.outcome_of(2), Unsent)


async def test_without_limits_nothing_is_asked() -> None:
    class Counting(Unpaced):
        asked = 0

        def take(self, text: OutboundText, segments: int) -> float:
            self.asked += 1
            return 0.0

    pace = Counting()
    async with talking(around={"pace": pace}) as (running, peer):
        running.carrier.send([outbound(1)])
        peer.take(await peer.read(smpp.SubmitSm))
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))
        assert pace.asked == 0


async def test_a_line_keeps_its_own_limit() -> None:
    async with talking(segments_per_second=5) as (running, peer):
        assert running.carrier.room() == 5
        began = time.monotonic()
        for first in (0, 5):
            await running.bound()
            running.carrier.send([outbound(first + n) for n in range(5)])
            peer.take(*await peer.read_many(smpp.SubmitSm, 5))
        assert time.monotonic() - began > 1.0
        await running.ledger.until(lambda: len(running.ledger.outcomes) == 10)


async def test_how_long_a_text_is_worth_delivering_is_said_when_it_leaves() -> None:
    now = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    async with talking(around={"now": lambda: now}) as (running, peer):
        running.carrier.send([outbound(1, valid_until=now + timedelta(hours=25, seconds=1.9))])
        running.carrier.send([outbound(2, valid_until=now + timedelta(seconds=0.4))])
        first, second = await peer.read_many(smpp.SubmitSm, 2)
        assert (first.validity_period, second.validity_period) == ("000001010001000R", "000000000001000R")


async def test_a_carrier_that_wants_no_validity_gets_none() -> None:
    async with talking(send_validity=False) as (running, peer):
        running.carrier.send([outbound(1)])
        assert (await peer.read(smpp.SubmitSm)).validity_period == ""


async def test_a_text_past_its_time_never_leaves() -> None:
    now = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    pace = Turnstile()
    pace.shut = {2}
    clock = [now]
    async with talking(around={"now": lambda: clock[0], "pace": pace}) as (running, peer):
        running.carrier.send([outbound(1, valid_until=now), outbound(2, valid_until=now + timedelta(seconds=60))])
        late = Refused("expired_here", "not sent: valid_until has passed")
        assert await running.ledger.outcome_of(1) == late
        clock[0] += timedelta(seconds=60)
        assert await running.ledger.outcome_of(2) == late, "its pace held it until it was too late"
        await peer.nothing_comes(0.02)
