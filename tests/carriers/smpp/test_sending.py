"""Texts on a line, and every way in which an SMSC may answer or not, over real TCP."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from smsdesk.carriers.contract import Accepted, Doubtful, Refused, Unsent
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier
from smsdesk.carriers.smpp.status import Status
from smsdesk.domain.gsm import decode

from .rig import Ledger, Smsc, line, message_id, outbound, talking

LONG = "a" * 400  # three parts of GSM-7


async def test_a_text_on_the_wire_and_its_answer() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(70_000)])
        submit = await peer.read(smpp.SubmitSm)
        assert (submit.source_addr_ton, submit.source_addr_npi, submit.source_addr) == (1, 1, "16285550199")
        assert (submit.dest_addr_ton, submit.dest_addr_npi, submit.destination_addr) == (1, 1, "14155550100")
        assert (submit.esm_class, submit.data_coding, submit.registered_delivery) == (0, 0, 1)
        assert (submit.short_message, submit.validity_period) == (b"hello", "000099235959000R")
        assert submit.tlvs == {smpp.Tag.USER_MESSAGE_REFERENCE: (70_000 & 0xFFFF).to_bytes(2)}
        peer.take(submit)
        assert await running.ledger.outcome_of(70_000) == Accepted((message_id(submit),))


@pytest.mark.parametrize(("body", "coding"), [(LONG, 0), ("è tutto 😀" * 20, 8)])
async def test_a_long_text_goes_in_joined_parts(body: str, coding: int) -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(0x1FF, body)])
        submits = await peer.read_many(smpp.SubmitSm, 3)
        assert [submit.short_message[:6].hex() for submit in submits] == [f"050003ff030{n}" for n in (1, 2, 3)]
        assert {(submit.esm_class, submit.data_coding) for submit in submits} == {(0x40, coding)}
        assert "".join(decode(submit.short_message[6:], coding)[0] for submit in submits) == body
        peer.take(*reversed(submits))
        assert await running.ledger.outcome_of(0x1FF) == Accepted(("id-511-1", "id-511-2", "id-511-3"))


async def test_the_window_bounds_what_is_unanswered() -> None:
    async with talking(window=2) as (running, peer):
        assert running.carrier.room() == 2
        running.carrier.send([outbound(1), outbound(2), outbound(3)])
        assert await running.ledger.outcome_of(3) == Unsent("the send window is full")
        first, second = await peer.read_many(smpp.SubmitSm, 2)
        assert running.carrier.room() == 0
        rooms = running.ledger.rooms
        peer.take(second)
        await running.ledger.until(lambda: running.ledger.rooms > rooms)
        assert running.carrier.room() == 1
        peer.take(first)
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))


async def test_a_text_of_more_parts_than_the_window_goes_through() -> None:
    async with talking(window=2) as (running, peer):
        running.carrier.send([outbound(1, LONG), outbound(2)])
        peer.take(*await peer.read_many(smpp.SubmitSm, 2))
        third, other = await peer.read_many(smpp.SubmitSm, 2)
        assert third.short_message[5] == 3
        peer.take(third, other)
        assert await running.ledger.outcome_of(1) == Accepted(("id-1-1", "id-1-2", "id-1-3"))


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        (Status.RINVDSTADR, Refused("unknown_number", "ESME_RINVDSTADR (0x0000000B)")),
        (Status.RSUBMITFAIL, Refused("blocked", "ESME_RSUBMITFAIL (0x00000045)")),
        (Status.RSYSERR, Refused("carrier_error", "ESME_RSYSERR (0x00000008)", 60.0)),
        (0x0499, Refused("unknown_error", "0x00000499")),
    ],
)
async def test_a_refusal_says_what_and_whether_again(status: int, refused: Refused) -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1)])
        peer.refuse(status, await peer.read(smpp.SubmitSm))
        assert await running.ledger.outcome_of(1) == refused


async def test_a_generic_nack_is_a_refusal() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1)])
        submit = await peer.read(smpp.SubmitSm)
        peer.send(smpp.GenericNack(submit.sequence_number, Status.RINVCMDLEN))
        assert await running.ledger.outcome_of(1) == Refused("carrier_error", "ESME_RINVCMDLEN (0x00000002)")


async def test_a_part_refused_for_good_after_another_was_taken() -> None:
    async with talking(window=2) as (running, peer):
        running.carrier.send([outbound(1, LONG)])
        first, second = await peer.read_many(smpp.SubmitSm, 2)
        peer.take(first)
        third = await peer.read(smpp.SubmitSm)
        peer.refuse(Status.RSUBMITFAIL, second)
        peer.take(third)
        refused = Refused("blocked", "ESME_RSUBMITFAIL (0x00000045)", None, ("id-1-1", None, "id-1-3"))
        assert await running.ledger.outcome_of(1) == refused


async def test_a_part_taken_after_one_that_was_refused_keeps_its_place() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1, LONG)])
        first, second, third = await peer.read_many(smpp.SubmitSm, 3)
        peer.refuse(Status.RSUBMITFAIL, first)
        peer.take(second)
        peer.refuse(Status.RSUBMITFAIL, third)
        refused = Refused("blocked", "ESME_RSUBMITFAIL (0x00000045)", None, (None, "id-1-2"))
        assert await running.ledger.outcome_of(1) == refused


async def test_parts_behind_a_final_refusal_stay_here() -> None:
    async with talking(window=1) as (running, peer):
        running.carrier.send([outbound(1, LONG)])
        peer.take(await peer.read(smpp.SubmitSm))
        peer.refuse(Status.RSUBMITFAIL, await peer.read(smpp.SubmitSm))
        refused = Refused("blocked", "ESME_RSUBMITFAIL (0x00000045)", None, ("id-1-1",))
        assert await running.ledger.outcome_of(1) == refused
        running.carrier.send([outbound(2)])
        assert (await peer.read(smpp.SubmitSm)).esm_class == 0


async def test_a_throttled_line_rests_as_a_whole_and_keeps_its_order() -> None:
    async with talking(throttle_first=0.2, throttle_longest=0.2) as (running, peer):
        running.carrier.send([outbound(1), outbound(2), outbound(3)])
        submits = await peer.read_many(smpp.SubmitSm, 3)
        peer.refuse(Status.RTHROTTLED, *submits[:2])
        await running.logs("smpp line slowed")
        assert running.carrier.room() == 0
        assert running.carrier.up()
        assert "bound, slowed for 0." in running.carrier.state()
        running.carrier.send([outbound(4)])
        assert isinstance(await running.ledger.outcome_of(4), Unsent)
        peer.take(submits[2])
        assert await running.ledger.outcome_of(3) == Accepted(("id-3",))
        await peer.nothing_comes(0.1)
        again = await peer.read_many(smpp.SubmitSm, 2)
        peer.take(*again)
        assert [message_id(submit) for submit in again] == ["id-1", "id-2"]
        assert await running.ledger.outcome_of(2) == Accepted(("id-2",))


async def test_what_waited_behind_a_throttled_text_is_given_back() -> None:
    async with talking(window=3) as (running, peer):
        running.carrier.send([outbound(1, LONG), outbound(2), outbound(3)])
        peer.refuse(Status.RTHROTTLED, *await peer.read_many(smpp.SubmitSm, 3))
        assert await running.ledger.outcome_of(2) == Unsent("the carrier asked to slow down")
        assert await running.ledger.outcome_of(3) == Unsent("the carrier asked to slow down")


async def test_throttled_parts_of_a_text_in_flight_go_again_in_order() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1, LONG)])
        first, second, third = await peer.read_many(smpp.SubmitSm, 3)
        peer.take(first)
        peer.refuse(Status.RMSGQFUL, second, third)
        again = await peer.read_many(smpp.SubmitSm, 2)
        assert [submit.short_message for submit in again] == [second.short_message, third.short_message]
        assert again[0].sequence_number > third.sequence_number
        peer.take(*again)
        assert await running.ledger.outcome_of(1) == Accepted(("id-1-1", "id-1-2", "id-1-3"))


async def test_a_text_that_is_throttled_again_and_again_is_given_back() -> None:
    async with talking(throttle_longest=0.01, throttle_first=0.01) as (running, peer):
        running.carrier.send([outbound(1)])
        for _ in range(3):
            peer.refuse(Status.RTHROTTLED, await peer.read(smpp.SubmitSm))
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.code) == ("queue_full", "ESME_RTHROTTLED (0x00000058)")
        assert outcome.part_ids == ()
        assert outcome.retry_after is not None
        assert outcome.retry_after == pytest.approx(0.01)


@pytest.mark.parametrize("end", ["drop", "drain"])
async def test_a_throttled_text_that_waits_at_the_end_may_go_another_way(end: str) -> None:
    """The carrier said no, so this is no doubt."""
    async with talking(throttle_first=30.0, throttle_longest=30.0) as (running, peer):
        running.carrier.send([outbound(1)])
        peer.refuse(Status.RTHROTTLED, await peer.read(smpp.SubmitSm))
        await running.logs("smpp line slowed")
        if end == "drop":
            peer.drop()
        else:
            running.task.cancel()
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.part_ids) == ("queue_full", ())
        assert outcome.retry_after


async def test_throttles_do_not_end_a_text_that_a_phone_has_in_part() -> None:
    async with talking(throttle_first=0.01, throttle_longest=0.01) as (running, peer):
        running.carrier.send([outbound(1, "a" * 200)])
        first, second = await peer.read_many(smpp.SubmitSm, 2)
        peer.take(first)
        for _ in range(12):
            peer.refuse(Status.RTHROTTLED, second)
            second = await peer.read(smpp.SubmitSm)
        peer.take(second)
        assert await running.ledger.outcome_of(1) == Accepted(("id-1-1", "id-1-2"))


async def test_the_rest_of_a_text_is_given_up_after_some_faults_of_the_carrier() -> None:
    async with talking(throttle_first=0.001, throttle_longest=0.001) as (running, peer):
        running.carrier.send([outbound(1, "a" * 200)])
        first, second = await peer.read_many(smpp.SubmitSm, 2)
        peer.take(first)
        for _ in range(8):
            peer.refuse(Status.RSYSERR, second)
            second = await peer.read(smpp.SubmitSm)
        peer.refuse(Status.RSYSERR, second)
        refused = Refused("carrier_error", "ESME_RSYSERR (0x00000008)", None, ("id-1-1",))
        assert await running.ledger.outcome_of(1) == refused


async def test_no_answer_is_doubt_and_frees_the_window() -> None:
    async with talking(window=1, response_timeout=0.1) as (running, peer):
        running.carrier.send([outbound(1)])
        lost = await peer.read(smpp.SubmitSm)
        assert await running.ledger.outcome_of(1) == Doubtful("no answer in 0.1 s", (None,))
        await running.bound()
        running.carrier.send([outbound(2)])
        submit = await peer.read(smpp.SubmitSm)
        peer.take(lost, submit)  # the late answer changes nothing
        assert await running.ledger.outcome_of(2) == Accepted(("id-2",))
        assert isinstance(await running.ledger.outcome_of(1), Doubtful)


async def test_a_lost_answer_names_the_parts_that_were_answered() -> None:
    async with talking(response_timeout=0.1) as (running, peer):
        running.carrier.send([outbound(1, LONG)])
        submits = await peer.read_many(smpp.SubmitSm, 3)
        peer.take(submits[0], submits[2])
        assert await running.ledger.outcome_of(1) == Doubtful("no answer in 0.1 s", ("id-1-1", None, "id-1-3"))


async def test_an_answer_that_cannot_be_read_is_doubt() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1)])
        submit = await peer.read(smpp.SubmitSm)
        peer.raw((18).to_bytes(4) + (0x80000004).to_bytes(4) + bytes(4) + submit.sequence_number.to_bytes(4) + b"id")
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Doubtful)
        assert "cannot be read" in outcome.detail
        assert running.carrier.state() == "bound"


async def test_a_dropped_line_knows_what_left() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, window=2) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        running.carrier.send([outbound(1), outbound(2, LONG)])
        first, _ = await peer.read_many(smpp.SubmitSm, 2)
        peer.take(first)
        await running.ledger.outcome_of(1)
        await peer.read(smpp.SubmitSm)
        peer.drop()
        outcome = await running.ledger.outcome_of(2)
        assert isinstance(outcome, Doubtful)
        assert outcome.part_ids == (None, None, None)
        again = await smsc.accept_bound()
        await running.bound()
        running.carrier.send([outbound(3)])
        again.take(await again.read(smpp.SubmitSm))
        assert await running.ledger.outcome_of(3) == Accepted(("id-3",))


async def test_a_text_that_waited_behind_a_full_window_is_unsent_at_the_drop() -> None:
    async with talking(window=2) as (running, peer):
        running.carrier.send([outbound(1, LONG), outbound(2)])
        await peer.read_many(smpp.SubmitSm, 2)
        peer.drop()
        assert isinstance(await running.ledger.outcome_of(1), Doubtful)
        assert isinstance(await running.ledger.outcome_of(2), Unsent)


async def test_an_address_that_is_none_is_refused_here() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1, source="Crème Brûlée"), outbound(2, source="ACME")])
        submit = await peer.read(smpp.SubmitSm)
        assert (submit.source_addr_ton, submit.source_addr_npi, submit.source_addr) == (5, 0, "ACME")
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert outcome.reason == "bad_sender"


async def test_a_peer_that_does_not_read_stops_the_writing() -> None:
    """What its TCP does not take is not handed to the transport for ever: the line has no room until it reads again."""
    async with Smsc().listening(receive_buffer=4096) as smsc, line(smsc.port, window=100_000) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        sent = 0
        async with asyncio.timeout(5):
            while running.carrier.room():
                running.carrier.send([outbound(sent + n, "x" * 160) for n in range(20)])
                sent += 20
                await asyncio.sleep(0)
        assert sent < 100_000
        peer.take(*await peer.read_many(smpp.SubmitSm, sent))
        await running.ledger.until(lambda: len(running.ledger.outcomes) == sent)
        assert running.carrier.room() == 100_000


class Eager(Ledger):
    """A sink that fills the line from inside `room()`, as soon as it is told."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.carrier: SmppCarrier | None = None
        self._texts = [outbound(n) for n in range(count)]

    def room(self) -> None:
        super().room()
        if self.carrier is not None:
            room = self.carrier.room()
            batch, self._texts = self._texts[:room], self._texts[room:]
            self.carrier.send(batch)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_sink_may_send_from_inside_room(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def converse() -> None:
        ledger = Eager(100)
        async with Smsc().listening() as smsc, line(smsc.port, ledger, window=7) as running:
            ledger.carrier = running.carrier
            peer = await smsc.accept_bound()
            for _ in range(100):
                peer.take(await peer.read(smpp.SubmitSm))
            await ledger.until(lambda: len(ledger.outcomes) == 100)
            assert dict(ledger.outcomes) == {n: Accepted((f"id-{n}",)) for n in range(100)}

    run(converse())
