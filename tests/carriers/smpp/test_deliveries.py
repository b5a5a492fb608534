"""What the network sends us is taken only when it is stored."""

import asyncio

import pytest

from smsdesk.carriers.contract import Accepted, Receipt
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.status import Status

from .rig import Ledger, outbound, talking

REPLY = smpp.DeliverSm(
    5,
    source_addr_ton=1,
    source_addr="14155550100",
    dest_addr_ton=1,
    destination_addr="16285550199",
    short_message=b"ok",
)
RECEIPT = smpp.DeliverSm(6, esm_class=4, short_message=b"id:id-1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:hello")


async def test_a_reply_is_answered_only_after_it_is_stored() -> None:
    ledger = Ledger(hold=True)
    async with talking(ledger) as (_, peer):
        peer.send(REPLY)
        await ledger.until(lambda: ledger.replies)
        await peer.nothing_comes(0.05)
        ledger.futures[0].set_result(None)
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(5)
        reply = ledger.replies[0]
        assert (reply.source, reply.destination, reply.body) == ("+14155550100", "+16285550199", "ok")
        assert (reply.encoding, reply.payload, reply.part) == ("gsm7", b"ok", None)
        assert reply.session.startswith("upstream/")


@pytest.mark.parametrize("failure", [RuntimeError("the database is away"), asyncio.CancelledError()])
async def test_what_could_not_be_stored_comes_again(failure: BaseException) -> None:
    ledger = Ledger(hold=True)
    async with talking(ledger) as (_, peer):
        peer.send(REPLY)
        await ledger.until(lambda: ledger.replies)
        if isinstance(failure, asyncio.CancelledError):
            ledger.futures[0].cancel()
        else:
            ledger.futures[0].set_exception(failure)
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(5, Status.RX_T_APPN)
        peer.send(REPLY)
        await ledger.until(lambda: len(ledger.replies) == 2)
        ledger.futures[1].set_result(None)
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(5)


async def test_a_repetition_while_the_first_is_being_stored_is_one() -> None:
    ledger = Ledger(hold=True)
    async with talking(ledger) as (_, peer):
        peer.send(REPLY, REPLY, smpp.EnquireLink(7))
        await peer.read(smpp.EnquireLinkResp)
        assert len(ledger.replies) == 1
        ledger.futures[0].set_result(None)
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(5)


async def test_a_receipt_may_come_before_the_answer() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(1)])
        submit = await peer.read(smpp.SubmitSm)
        peer.send(RECEIPT)
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(6)
        assert running.ledger.receipts == [Receipt("id-1", "delivered", None, "stat:DELIVRD err:000")]
        peer.take(submit)
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))


async def test_a_receipt_tells_the_phone_and_gives_back_the_reference() -> None:
    async with talking() as (running, peer):
        running.carrier.send([outbound(70_001)])
        submit = await peer.read(smpp.SubmitSm)
        back = submit.tlvs[smpp.Tag.USER_MESSAGE_REFERENCE]
        peer.send(
            smpp.DeliverSm(
                6,
                esm_class=4,
                short_message=b"id:x stat:DELIVRD",
                source_addr_ton=1,
                source_addr=submit.destination_addr,
                tlvs={smpp.Tag.USER_MESSAGE_REFERENCE: back},
            )
        )
        await running.ledger.until(lambda: running.ledger.receipts)
        (receipt,) = running.ledger.receipts
        assert (receipt.number, receipt.reference) == (f"+{submit.destination_addr}", 70_001 % 65_536)


async def test_ids_of_answer_and_receipt_meet_in_one_form() -> None:
    async with talking(response_id="hex", receipt_id="decimal") as (running, peer):
        running.carrier.send([outbound(1)])
        submit = await peer.read(smpp.SubmitSm)
        peer.send(smpp.SubmitSmResp(submit.sequence_number, 0, "04D2"))
        peer.send(smpp.DeliverSm(6, esm_class=4, short_message=b"id:0000001234 stat:DELIVRD"))
        assert await running.ledger.outcome_of(1) == Accepted(("1234",))
        await running.ledger.until(lambda: running.ledger.receipts)
        assert running.ledger.receipts[0].part_id == "1234"


async def test_a_receipt_that_names_nothing_is_taken_and_left() -> None:
    async with talking() as (running, peer):
        peer.send(smpp.DeliverSm(6, esm_class=4, short_message=b"your message was delivered"))
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(6)
        assert (running.ledger.receipts, running.ledger.replies) == ([], [])


async def test_data_sm_is_a_delivery_too() -> None:
    async with talking() as (running, peer):
        peer.send(smpp.DataSm(9, source_addr="12345", data_coding=8, tlvs={smpp.Tag.MESSAGE_PAYLOAD: b"\x20\xac"}))
        assert await peer.read(smpp.DataSmResp) == smpp.DataSmResp(9)
        assert (running.ledger.replies[0].body, running.ledger.replies[0].source) == ("€", "12345")


async def test_more_than_a_thousand_unstored_are_refused_for_now() -> None:
    ledger = Ledger(hold=True)
    async with talking(ledger) as (_, peer):
        peer.send(*(smpp.DeliverSm(number, short_message=b"x") for number in range(1, 1002)))
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(1001, Status.RX_T_APPN)
        assert len(ledger.replies) == 1000
