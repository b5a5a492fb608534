"""Replies and receipts find a line, and come again until somebody answers."""

from lab.rig import HANDSET, NUMBER, Rig, running
from smsdesk.carriers.smpp.pdu import BindReceiver, BindTransmitter, DeliverSm, DeliverSmResp, Tag


async def test_a_reply_waits_until_somebody_is_bound(rig: Rig) -> None:
    assert (await rig.type("anybody?"))["state"] == "waiting"
    assert (await rig.stats())["waiting"] == 1
    transmitter = await rig.bound(BindTransmitter)
    assert await transmitter.passed() == []
    receiver = await rig.bound(BindReceiver)
    assert (await receiver.delivered()).short_message == b"anybody?"
    await receiver.passed()
    [reply] = await rig.get(f"/handsets/{HANDSET}/replies")
    assert (reply["state"], reply["sends"]) == ("answered", 1)
    assert (await rig.stats())["waiting"] == 0


async def test_a_receipt_waits_for_the_system_that_submitted(rig: Rig) -> None:
    transmitter = await rig.bound(BindTransmitter)
    answer = await transmitter.submit(b"hello", registered_delivery=1)
    stranger = await rig.bound(BindReceiver, "globex")
    assert await stranger.passed() == []
    receipt = await (await rig.bound(BindReceiver)).delivered()
    assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == answer.message_id.encode() + b"\0"


async def test_an_unanswered_reply_comes_again_over_another_line_as_the_same() -> None:
    async with running(deliver_timeout=0.1) as rig:
        silent = await rig.bound()
        await rig.type("still there?")
        first = await silent.next()
        other = await rig.bound()
        again = await other.delivered()
        assert isinstance(first, DeliverSm)
        assert again.tlvs == first.tlvs
        assert (again.short_message, again.source_addr) == (first.short_message, first.source_addr)
        await other.passed()
        [reply] = await rig.get(f"/handsets/{HANDSET}/replies")
        assert (reply["state"], reply["sends"]) == ("answered", 2)
        assert (await rig.stats())["repeats"] == 1


async def test_an_unanswered_reply_comes_again_over_the_only_line() -> None:
    async with running(deliver_timeout=0.1) as rig:
        esme = await rig.bound()
        await rig.type("hello?")
        first, again = await esme.next(), await esme.next()
        assert isinstance(first, DeliverSm)
        assert isinstance(again, DeliverSm)
        assert again.sequence_number != first.sequence_number
        assert again.tlvs == first.tlvs


async def test_what_a_lost_line_did_not_answer_comes_again_in_order(rig: Rig) -> None:
    esme = await rig.bound()
    for body in ("one", "two", "three"):
        await rig.type(body)
    assert (await esme.delivered()).short_message == b"one"
    await esme.passed()
    await esme.close()
    following = await rig.bound()
    assert [(await following.delivered()).short_message for _ in range(2)] == [b"two", b"three"]


async def test_a_reply_refused_for_now_comes_again_and_one_refused_for_good_does_not() -> None:
    async with running(deliver_retry=0.05) as rig:
        esme = await rig.bound()
        await rig.type("busy?")
        first = await esme.next()
        assert isinstance(first, DeliverSm)
        esme.send(DeliverSmResp(first.sequence_number, 0x64))
        again = await esme.next()
        assert isinstance(again, DeliverSm)
        assert again.tlvs == first.tlvs
        esme.send(DeliverSmResp(again.sequence_number, 0x65))
        await esme.passed()
        [reply] = await rig.get(f"/handsets/{HANDSET}/replies")
        assert (reply["state"], reply["sends"]) == ("refused", 2)


async def test_an_answer_that_the_lab_loses_makes_a_repetition() -> None:
    async with running(deliver_timeout=0.1) as rig:
        esme = await rig.bound()
        await rig.faults(lose_deliver_answer=1)
        await rig.type("twice")
        first = await esme.delivered()
        again = await esme.delivered()
        assert again.tlvs == first.tlvs


async def test_the_line_goes_after_a_deliver_sm(rig: Rig) -> None:
    esme = await rig.bound()
    await rig.faults(drop_after_deliver=1)
    await rig.type("and gone")
    assert isinstance(await esme.next(), DeliverSm)
    assert await esme.next() is None
    await rig.faults()
    assert (await (await rig.bound()).delivered()).short_message == b"and gone"


async def test_a_full_window_waits_for_answers() -> None:
    async with running(deliver_window=2) as rig:
        esme = await rig.bound()
        for number in range(3):
            await rig.type(f"{number}")
        first, second = await esme.passed()
        assert [pdu.short_message for pdu in (first, second) if isinstance(pdu, DeliverSm)] == [b"0", b"1"]
        esme.send(DeliverSmResp(first.sequence_number))
        assert (await esme.delivered()).short_message == b"2"


async def test_a_configured_owner_gets_the_replies_and_nobody_else() -> None:
    async with running(owners={NUMBER: "acme"}) as rig:
        stranger = await rig.bound(system_id="globex")
        await stranger.submit(b"not my number")
        await rig.type("for acme")
        await rig.type("for whoever is here", to="+16285550122")
        assert (await stranger.delivered()).short_message == b"for whoever is here"
        assert await stranger.passed() == []
        assert (await (await rig.bound()).delivered()).short_message == b"for acme"


async def test_automatic_reply_of_one_handset_and_of_all(rig: Rig) -> None:
    esme = await rig.bound()
    await rig.http.put(f"/handsets/{HANDSET}/auto-reply", json={"body": "mine"})
    await rig.http.put("/handsets/*/auto-reply", json={"body": "everybody's"})
    await esme.submit(b"hello")
    assert (await esme.delivered()).short_message == b"mine"
    await esme.submit(b"hello", destination_addr="14155550101")
    reply = await esme.delivered()
    assert (reply.short_message, reply.source_addr) == (b"everybody's", "14155550101")
    await esme.submit(b"hello", source_addr="ACME", source_addr_ton=5)
    await rig.http.delete("/handsets/*/auto-reply")
    await rig.http.delete(f"/handsets/{HANDSET}/auto-reply")
    await esme.submit(b"hello")
    assert await esme.passed() == []
