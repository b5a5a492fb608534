"""Several lines of one carrier, pairs, and what is said of them."""

import asyncio

import pytest

from smsdesk.carriers.contract import Accepted, Doubtful, Unsent
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.status import Status

from .rig import Peer, Smsc, line, outbound, talking


async def accept(smsc: Smsc, count: int) -> list[Peer]:
    return [await smsc.accept_bound() for _ in range(count)]


async def test_texts_are_spread_over_all_lines_and_receipts_come_over_any() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, lines=3) as running:
        peers = await accept(smsc, 3)
        await running.ledger.until(lambda: running.carrier.state() == "bound 3 of 3")
        assert running.carrier.room() == 150
        running.carrier.send([outbound(n) for n in range(6)])
        for peer in peers:
            peer.take(*await peer.read_many(smpp.SubmitSm, 2))
        await running.ledger.until(lambda: len(running.ledger.outcomes) == 6)
        assert dict(running.ledger.outcomes) == {n: Accepted((f"id-{n}",)) for n in range(6)}
        for peer in peers:
            peer.send(smpp.DeliverSm(7, esm_class=4, short_message=b"id:id-0 stat:DELIVRD"))
            await peer.read(smpp.DeliverSmResp)
        assert [receipt.part_id for receipt in running.ledger.receipts] == ["id-0"] * 3


async def test_a_full_line_leaves_the_texts_to_the_others() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, lines=2, window=2) as running:
        first, second = await accept(smsc, 2)
        await running.ledger.until(lambda: running.carrier.room() == 4)
        running.carrier.send([outbound(n) for n in range(3)])
        count = dict.fromkeys((first, second), 0)
        running.carrier.send([outbound(3), outbound(4)])
        assert await running.ledger.outcome_of(4) == Unsent("the send window is full")
        for peer in count:
            peer.take(*await peer.read_many(smpp.SubmitSm, 2))
        await running.ledger.until(lambda: len(running.ledger.outcomes) == 5)


async def test_one_line_down_leaves_the_others_at_work() -> None:
    async with (
        Smsc().listening() as smsc,
        line(smsc.port, lines=2, reconnect_first=60.0, reconnect_longest=60.0) as running,
    ):
        first, second = await accept(smsc, 2)
        await running.ledger.until(lambda: running.carrier.room() == 100)
        running.carrier.send([outbound(1), outbound(2)])
        lost = await first.read(smpp.SubmitSm)
        kept = await second.read(smpp.SubmitSm)
        first.drop()
        await running.logs("smpp line down")
        second.take(kept)
        await running.ledger.until(lambda: len(running.ledger.outcomes) == 2)
        assert {type(outcome) for _, outcome in running.ledger.outcomes} == {Doubtful, Accepted}
        assert lost.short_message == kept.short_message
        assert running.carrier.up()
        assert running.carrier.room() == 50
        assert running.carrier.state().startswith("bound 1 of 2; down: ")


async def test_lines_that_are_all_down_say_why_once() -> None:
    async with Smsc().listening() as smsc:
        port = smsc.port
    async with line(port, lines=3, reconnect_first=60.0, reconnect_longest=60.0) as running:
        await running.ledger.until(lambda: running.carrier.state() == "down: connection refused")
        assert not running.carrier.up()


async def test_a_pair_sends_over_one_and_receives_over_the_other() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, bind="pair") as running:
        peers = {}
        for _ in range(2):
            peer = await smsc.accept()
            peers[type(await peer.bind())] = peer
        transmitter, receiver = peers[smpp.BindTransmitter], peers[smpp.BindReceiver]
        await running.ledger.until(lambda: running.carrier.state() == "bound 2 of 2")
        assert running.carrier.room() == 50
        running.carrier.send([outbound(1), outbound(2)])
        transmitter.take(*await transmitter.read_many(smpp.SubmitSm, 2))
        assert await running.ledger.outcome_of(2) == Accepted(("id-2",))
        receiver.send(smpp.DeliverSm(7, esm_class=4, short_message=b"id:id-1 stat:DELIVRD"))
        assert await receiver.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(7)


async def test_half_a_pair_says_which_half_is_missing() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, bind="pair", reconnect_longest=60.0) as running:
        for _ in range(2):
            peer = await smsc.accept()
            request = await peer.read(smpp.Bind)
            refused = Status.RBINDFAIL if isinstance(request, smpp.BindReceiver) else Status.ROK
            assert request.response is not None
            peer.send(request.response(request.sequence_number, refused))
        await running.logs("smpp line down")
        await running.ledger.until(running.carrier.up)
        assert running.carrier.state().startswith("bound 1 of 2; receiver ")


async def test_a_receiver_alone_takes_no_texts() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, bind="receiver") as running:
        peer = await smsc.accept()
        await peer.bind(smpp.BindReceiver)
        peer.send(smpp.DeliverSm(3, short_message=b"hi"))
        await peer.read(smpp.DeliverSmResp)
        assert [reply.body for reply in running.ledger.replies] == ["hi"]
        assert (running.carrier.state(), running.carrier.up(), running.carrier.room()) == ("bound", False, 0)


async def test_a_transmitter_alone() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, bind="transmitter") as running:
        peer = await smsc.accept()
        await peer.bind(smpp.BindTransmitter)
        await running.bound()
        running.carrier.send([outbound(1)])
        peer.take(await peer.read(smpp.SubmitSm))
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))


async def test_all_lines_drain_side_by_side() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, lines=3) as running:
        peers = await accept(smsc, 3)
        await running.ledger.until(lambda: running.carrier.room() == 150)
        running.carrier.send([outbound(n) for n in range(3)])
        submits = [await peer.read(smpp.SubmitSm) for peer in peers]
        running.task.cancel()
        async with asyncio.timeout(3):  # the last answer ends the waiting, not the four seconds that it may take
            for peer, submit in zip(peers, submits, strict=True):
                peer.take(submit)
            for peer in peers:
                peer.send(smpp.UnbindResp((await peer.read(smpp.Unbind)).sequence_number))
                await peer.ended()
            with pytest.raises(asyncio.CancelledError):
                await running.task
        assert {type(outcome) for _, outcome in running.ledger.outcomes} == {Accepted}


async def test_a_throttle_on_one_line_slows_them_all() -> None:
    async with (
        Smsc().listening() as smsc,
        line(smsc.port, lines=2, throttle_first=0.1, throttle_longest=2.0) as running,
    ):
        peers = await accept(smsc, 2)
        await running.ledger.until(lambda: running.carrier.room() == 100)
        running.carrier.send([outbound(1), outbound(2)])
        submits = [await peer.read(smpp.SubmitSm) for peer in peers]
        peers[0].refuse(Status.RTHROTTLED, submits[0])
        await running.logs("smpp line slowed")
        assert running.carrier.room() == 0
        peers[1].take(submits[1])
        await peers[1].nothing_comes(0.05)
        peers[0].take(await peers[0].read(smpp.SubmitSm))
        await running.ledger.until(lambda: len(running.ledger.outcomes) == 2)
        await running.ledger.until(running.carrier.room)
        assert running.carrier.room() == 1, "one part a second, over whichever line"


async def test_a_line_on_which_nothing_flows_is_unbound_and_comes_back() -> None:
    async with Smsc().listening() as smsc, line(smsc.port, inactivity_timeout=0.2, enquire_link=0.05) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        async with asyncio.timeout(5):
            while not isinstance(pdu := await peer.read(smpp.Pdu), smpp.Unbind):
                assert isinstance(pdu, smpp.EnquireLink)
                peer.send(smpp.EnquireLinkResp(pdu.sequence_number))
        peer.send(smpp.UnbindResp(pdu.sequence_number))
        await running.logs("nothing flowed for 0.2 s")
        await smsc.accept_bound()
        await running.bound()


async def test_an_alert_is_no_nonsense() -> None:
    async with talking() as (_, peer):
        peer.send(smpp.AlertNotification(3, source_addr="14155550100"), smpp.EnquireLink(4))
        assert (await peer.read(smpp.EnquireLinkResp)).sequence_number == 4
