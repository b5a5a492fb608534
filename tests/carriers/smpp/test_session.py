"""A line against an SMSC that does what a test says, over real TCP."""

import asyncio

import pytest
import structlog

from smsdesk.carriers.contract import Accepted, Doubtful, Refused, Unsent
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier
from smsdesk.carriers.smpp.session import Line, Session
from smsdesk.carriers.smpp.status import Status
from smsdesk.carriers.smpp.timers import Throttle
from smsdesk.domain.gsm import decode

from .rig import Ledger, Smsc, config, line, message_id, outbound, talking

LONG = "a" * 400  # three parts of GSM-7


async def test_the_bind_says_who_we_are() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, system_type="SMPP") as running:
        peer = await smsc.accept()
        bind = await peer.bind()
        await running.bound()
        assert (bind.system_id, bind.password, bind.system_type) == ("acme", "hush", "SMPP")
        assert (bind.interface_version, bind.sequence_number) == (0x34, 1)
        assert running.carrier.state() == "bound"
        assert running.ledger.rooms == 1


async def test_a_text_on_the_wire_and_its_answer() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(70_000)])
        submit = await peer.read(smpp.SubmitSm)
        assert (submit.source_addr_ton, submit.source_addr_npi, submit.source_addr) == (1, 1, "16285550199")
        assert (submit.dest_addr_ton, submit.dest_addr_npi, submit.destination_addr) == (1, 1, "14155550100")
        assert (submit.esm_class, submit.data_coding, submit.registered_delivery) == (0, 0, 1)
        assert (submit.short_message, submit.validity_period) == (b"hello", "")
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
        refused = Refused("blocked", "ESME_RSUBMITFAIL (0x00000045)", None, ("id-1-1", "id-1-3"))
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


async def test_a_throttled_line_rests_as_a_whole_and_comes_back() -> None:
    async with talking(throttle_first=0.2) as (running, peer):
        running.carrier.send([outbound(1), outbound(2)])
        submits = await peer.read_many(smpp.SubmitSm, 2)
        rooms = running.ledger.rooms
        peer.refuse(Status.RTHROTTLED, submits[0])
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.code) == ("queue_full", "ESME_RTHROTTLED (0x00000058)")
        assert outcome.retry_after is not None
        assert 0 < outcome.retry_after <= 0.2
        assert running.carrier.room() == 0
        assert "slowed" in running.carrier.state()
        running.carrier.send([outbound(3)])
        assert isinstance(await running.ledger.outcome_of(3), Unsent)
        peer.take(submits[1])
        assert await running.ledger.outcome_of(2) == Accepted(("id-2",))
        await running.ledger.until(lambda: running.ledger.rooms > rooms)
        assert running.carrier.room() == 50


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


async def test_a_text_throttled_as_a_whole_is_given_back() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1, LONG)])
        peer.refuse(Status.RTHROTTLED, *await peer.read_many(smpp.SubmitSm, 3))
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert outcome.part_ids == ()
        assert outcome.retry_after


async def test_the_rest_of_a_text_is_given_up_after_some_tries() -> None:
    async with talking(throttle_first=0.001, throttle_longest=0.001) as (running, peer):
        running.carrier.send([outbound(1, "a" * 200)])
        first, second = await peer.read_many(smpp.SubmitSm, 2)
        peer.take(first)
        for _ in range(8):
            peer.refuse(Status.RTHROTTLED, second)
            second = await peer.read(smpp.SubmitSm)
        peer.refuse(Status.RTHROTTLED, second)
        refused = Refused("queue_full", "ESME_RTHROTTLED (0x00000058)", None, ("id-1-1",))
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


async def test_texts_for_a_line_that_is_down_come_back() -> None:
    async with Smsc().listening() as smsc, line(smsc.port) as running:
        peer = await smsc.accept()
        running.carrier.send([outbound(1)])
        assert isinstance(await running.ledger.outcome_of(1), Unsent)
        assert running.carrier.room() == 0
        assert running.carrier.state() == "connecting"
        await peer.bind()
        await running.bound()


async def test_an_address_that_is_none_is_refused_here() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1, source="Crème Brûlée"), outbound(2, source="ACME")])
        submit = await peer.read(smpp.SubmitSm)
        assert (submit.source_addr_ton, submit.source_addr_npi, submit.source_addr) == (5, 0, "ACME")
        outcome = await running.ledger.outcome_of(1)
        assert isinstance(outcome, Refused)
        assert outcome.reason == "bad_sender"


async def test_enquire_link_is_answered_and_asked() -> None:
    async with talking(enquire_link=0.1, response_timeout=1.0) as (running, peer):
        peer.send(smpp.EnquireLink(77))
        assert (await peer.read(smpp.EnquireLinkResp)).sequence_number == 77
        for _ in range(2):
            question = await peer.read(smpp.EnquireLink)
            peer.send(smpp.EnquireLinkResp(question.sequence_number))
        assert running.carrier.state() == "bound"


async def test_a_line_that_answers_no_enquire_link_is_given_up() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, enquire_link=0.05, response_timeout=0.1) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        await peer.read(smpp.EnquireLink)
        await peer.ended()
        await smsc.accept()


async def test_nonsense_is_nacked_and_what_follows_is_read() -> None:
    async with talking() as (running, peer):
        unknown = (20).to_bytes(4) + (0x00007777).to_bytes(4) + bytes(4) + (8).to_bytes(4) + b"\1\2\3\4"
        running.carrier.send([outbound(1)])
        submit = await peer.read(smpp.SubmitSm)
        peer.raw(unknown)
        peer.take(submit)
        assert await peer.read(smpp.GenericNack) == smpp.GenericNack(8, Status.RINVCMDID)
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))


@pytest.mark.parametrize("length", [3, 70_000])
async def test_a_lost_frame_ends_the_line(length: int) -> None:
    async with Smsc().listening() as smsc, line(smsc.port) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        peer.raw(length.to_bytes(4) + (5).to_bytes(4) + bytes(4) + (9).to_bytes(4))
        assert await peer.read(smpp.GenericNack) == smpp.GenericNack(9, Status.RINVCMDLEN)
        await peer.ended()
        await smsc.accept_bound()
        await running.bound()


async def test_a_request_that_is_not_for_us_is_nacked() -> None:
    async with talking() as (_, peer):
        peer.send(smpp.QuerySm(3, message_id="x"), smpp.Outbind(4), smpp.EnquireLink(5))
        assert await peer.read(smpp.GenericNack) == smpp.GenericNack(3, Status.RINVCMDID)
        assert (await peer.read(smpp.EnquireLinkResp)).sequence_number == 5


async def test_a_refused_bind_is_said_and_tried_again() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, reconnect_first=0.2) as running:
        peer = await smsc.accept()
        request = await peer.read(smpp.BindTransceiver)
        peer.send(smpp.BindTransceiverResp(request.sequence_number, Status.RINVPASWD))
        assert "bind refused: ESME_RINVPASWD (0x0000000E)" in await running.logs("smpp line down")
        assert running.carrier.state() == "down: bind refused: ESME_RINVPASWD (0x0000000E)"
        await smsc.accept_bound()
        await running.bound()


async def test_a_down_line_says_why() -> None:
    async with Smsc().listening() as smsc:
        port = smsc.port
    async with line(port, reconnect_first=60.0, reconnect_longest=60.0) as running:
        await running.logs("smpp line down")
        assert running.carrier.state() == "down: connection refused"


async def test_an_smsc_that_says_nothing_is_left() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, connect_timeout=0.1):
        silent = await smsc.accept()
        await silent.read(smpp.BindTransceiver)
        await silent.ended()
        await smsc.accept_bound()


async def test_the_carriers_unbind_is_answered_and_the_line_comes_back() -> None:
    async with Smsc().listening() as smsc, line(smsc.port) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        running.carrier.send([outbound(1)])
        await peer.read(smpp.SubmitSm)
        peer.send(smpp.Unbind(40))
        assert (await peer.read(smpp.UnbindResp)).sequence_number == 40
        assert await running.ledger.outcome_of(1) == Doubtful("the carrier unbound", (None,))
        await smsc.accept_bound()
        await running.bound()


async def test_cancelling_waits_for_answers_and_unbinds() -> None:
    async with Smsc().listening() as smsc:
        ledger = Ledger()
        async with line(smsc.port, ledger) as running:
            peer = await smsc.accept_bound()
            await running.bound()
            running.carrier.send([outbound(1)])
            submit = await peer.read(smpp.SubmitSm)
            running.task.cancel()
            await peer.nothing_comes(0.05)
            assert running.carrier.room() == 0
            running.carrier.send([outbound(2)])
            peer.take(submit)
            unbind = await peer.read(smpp.Unbind)
            peer.send(smpp.UnbindResp(unbind.sequence_number))
            await peer.ended()
            with pytest.raises(asyncio.CancelledError):
                await running.task
        assert dict(ledger.outcomes) == {1: Accepted(("id-1",)), 2: Unsent("the send window is full")}
        assert running.carrier.state() == "down: closed"


async def test_a_second_cancel_still_reports_every_text() -> None:
    async with Smsc().listening() as smsc:
        ledger = Ledger()
        async with line(smsc.port, ledger) as running:
            peer = await smsc.accept_bound()
            await running.bound()
            running.carrier.send([outbound(1)])
            await peer.read(smpp.SubmitSm)
            running.task.cancel()
            await peer.nothing_comes(0.02)
            running.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running.task
            assert [type(outcome) for _, outcome in ledger.outcomes] == [Doubtful]


async def test_sequence_numbers_start_over_after_the_last() -> None:
    ledger = Ledger()
    async with Smsc().listening() as smsc:
        settings = config(smsc.port)
        shared = Line(settings, ledger, asyncio.get_running_loop().time, structlog.get_logger(), Throttle(1, 1))
        session = Session(shared, "upstream/1", first_sequence_number=smpp.MAX_SEQUENCE_NUMBER - 1)
        await asyncio.get_running_loop().create_connection(lambda: session, "127.0.0.1", smsc.port)
        peer = await smsc.accept()
        assert (await peer.bind()).sequence_number == smpp.MAX_SEQUENCE_NUMBER - 1
        assert await session.opened == ""
        session.send([outbound(n) for n in range(1, 4)])
        submits = await peer.read_many(smpp.SubmitSm, 3)
        assert [submit.sequence_number for submit in submits] == [smpp.MAX_SEQUENCE_NUMBER, 1, 2]
        peer.take(*submits)
        assert await ledger.outcome_of(3) == Accepted(("id-3",))
        session.close("the test is over")
        assert await session.closed == "the test is over"


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


def test_a_carrier_that_does_not_run_takes_nothing() -> None:
    carrier = SmppCarrier(1, "upstream", config(2775))
    assert carrier.room() == 0
    with pytest.raises(RuntimeError, match="before run"):
        carrier.send([outbound(1)])
    assert "hush" not in repr(carrier.__dict__)
