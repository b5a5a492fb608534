"""A line against an SMSC that does what a test says, over real TCP."""

import asyncio

import pytest

from smsdesk.carriers.contract import Accepted, Doubtful, Unsent
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.carrier import SmppCarrier
from smsdesk.carriers.smpp.session import Session
from smsdesk.carriers.smpp.status import Status

from .rig import Ledger, Smsc, account, config, line, outbound, talking


async def test_the_bind_says_who_we_are() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, system_type="SMPP") as running:
        peer = await smsc.accept()
        bind = await peer.bind()
        await running.bound()
        assert (bind.system_id, bind.password, bind.system_type) == ("acme", "hush", "SMPP")
        assert (bind.interface_version, bind.sequence_number) == (0x34, 1)
        assert running.carrier.state() == "bound"
        assert running.ledger.rooms == 1


async def test_texts_for_a_line_that_is_down_come_back() -> None:
    async with Smsc().listening() as smsc, line(smsc.port) as running:
        peer = await smsc.accept()
        running.carrier.send([outbound(1)])
        assert isinstance(await running.ledger.outcome_of(1), Unsent)
        assert running.carrier.room() == 0
        assert running.carrier.state() == "connecting"
        await peer.bind()
        await running.bound()


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


async def test_the_answer_to_another_bind_binds_nothing() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, session_init_timeout=0.2) as running:
        peer = await smsc.accept()
        request = await peer.read(smpp.BindTransceiver)
        peer.send(smpp.BindReceiverResp(request.sequence_number))
        assert "no answer to bind in 0.2 s" in await running.logs("smpp line down")


async def test_a_down_line_says_why() -> None:
    async with Smsc().listening() as smsc:
        port = smsc.port
    async with line(port, reconnect_first=60.0, reconnect_longest=60.0) as running:
        await running.logs("smpp line down")
        assert running.carrier.state() == "down: connection refused"


async def test_an_smsc_that_says_nothing_is_left() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, session_init_timeout=0.1):
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
        session = Session(account(settings, ledger), first_sequence_number=smpp.MAX_SEQUENCE_NUMBER - 1)
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


def test_a_carrier_that_does_not_run_takes_nothing() -> None:
    carrier = SmppCarrier(1, "upstream", config(2775))
    assert carrier.room() == 0
    with pytest.raises(RuntimeError, match="before run"):
        carrier.send([outbound(1)])
    assert "hush" not in repr(carrier.__dict__)
