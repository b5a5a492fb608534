"""How a line of ours behaves over time, in front of two SMSCs that others wrote: binds, waits, throttles, ends."""

import asyncio
import re
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smsdesk.carriers.contract import Accepted, Doubt, Doubtful, Found, Refused, Unknown
from tests.carriers.smpp.rig import Ledger, outbound
from tests.peers.certificate import write_certificate
from tests.peers.client_cases import receipt
from tests.peers.foreign import Delivery
from tests.peers.talk import Talk, Talks

RECEIVER, TRANSMITTER, UNBIND = 1, 2, 6
LONG = "a" * 153 + "b" * 153 + "c" * 20
NOW = datetime(2026, 3, 2, 17, 20, tzinfo=UTC)


async def test_a_line_that_only_transmits(talks: Talks) -> None:
    async with talks(bind="transmitter") as talk:
        await talk.assert_sends(1)
        assert talk.wire.count(TRANSMITTER) == 1
        assert talk.running.carrier.up()


async def test_a_line_that_only_receives(talks: Talks) -> None:
    async with talks(bind="receiver") as talk:
        await talk.smsc.until_bound(1)
        assert await talk.smsc.deliver(Delivery(b"Hello?")) == 0
        assert [reply.body for reply in talk.ledger.replies] == ["Hello?"]
        assert talk.wire.count(RECEIVER) == 1
        assert talk.running.carrier.room() == 0
        assert not talk.running.carrier.up()


async def test_texts_are_spread_over_lines(talks: Talks) -> None:
    async with talks(lines=3, window=5) as talk:
        await talk.smsc.until_bound(3)
        await talk.until_room(15)
        talk.running.carrier.send([outbound(number) for number in range(15)])
        submits = [await talk.smsc.submitted() for _ in range(15)]
        assert len({submit.session for submit in submits}) == 3
        for submit in submits:
            submit.accept("m")
        for number in range(15):
            assert await talk.ledger.outcome_of(number) == Accepted(("m",))


async def test_one_line_ends_and_the_others_go_on(talks: Talks) -> None:
    async with talks(lines=2, reconnect_first=1.0, reconnect_longest=1.0) as talk:
        await talk.smsc.until_bound(2)
        await talk.smsc.unbind()
        await talk.smsc.until_bound(1)
        assert talk.running.carrier.up()
        await talk.assert_sends(1)
        await talk.smsc.until_bound(2)


async def test_more_lines_than_the_smsc_takes(talks: Talks) -> None:
    async with talks(lines=3, smsc={"max_bindings": 2}) as talk:
        await talk.smsc.until_bound(2)
        await talk.running.logs("bind refused: ESME_RBINDFAIL (0x0000000D)")
        await talk.assert_sends(1)
        assert "2 of 3" in talk.running.carrier.state()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """What a server of the name `smsc.test` shows, and the file that vouches for it."""
    chain = write_certificate(tmp_path, "smsc.test")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return context, str(chain)


async def test_a_line_over_tls(talks: Talks, certificate: tuple[ssl.SSLContext, str]) -> None:
    shown, file = certificate
    async with talks(shown=shown, tls=True, tls_ca_file=file, tls_server_name="smsc.test") as talk:
        await talk.assert_sends(1)


async def test_a_certificate_of_another_name(talks: Talks, certificate: tuple[ssl.SSLContext, str]) -> None:
    shown, file = certificate
    async with talks(shown=shown, tls=True, tls_ca_file=file, tls_server_name="other.test") as talk:
        await talk.running.logs("certificate")
        assert talk.smsc.sessions == []
        assert talk.wire.pdus() == []


async def test_the_line_is_cut_before_the_answer(talks: Talks) -> None:
    async with talks() as talk:
        first, *_ = await talk.send(1, LONG)
        first.accept("m1")
        await until_answered(talk, 1)
        talk.wire.cut()
        outcome = await talk.ledger.outcome_of(1)
        assert isinstance(outcome, Doubtful)
        assert outcome.part_ids == ("m1", None, None)
        await talk.assert_sends(2)


async def until_answered(talk: Talk, parts: int) -> None:
    """Waits until the line has room again for all but the parts that are still open."""
    size = len(outbound(1, LONG).segments.parts)
    await talk.until_room(50 - size + parts)


async def test_no_answer_comes(talks: Talks) -> None:
    async with talks(response_timeout=0.2) as talk:
        first, _, last = await talk.send(1, LONG)
        first.accept("m1")
        last.accept("m3")
        outcome = await talk.ledger.outcome_of(1)
        assert outcome == Doubtful("no answer in 0.2 s", ("m1", None, "m3"))
        await talk.assert_sends(2)


async def test_answers_out_of_order(talks: Talks) -> None:
    async with talks() as talk:
        open_parts = [(await talk.send(number))[0] for number in range(5)]
        for number, part in reversed(list(enumerate(open_parts))):
            part.accept(f"m{number}")
            assert await talk.ledger.outcome_of(number) == Accepted((f"m{number}",))


async def test_each_of_many_texts_gets_its_own_answer(talks: Talks) -> None:
    async with talks(window=20) as talk:
        sent = 0
        while sent < 200:
            await talk.running.bound()
            room = talk.running.carrier.room()
            talk.running.carrier.send([outbound(sent + n, f"text {sent + n}") for n in range(room)])
            for _ in range(room):
                submit = await talk.smsc.submitted()
                submit.accept(submit.short_message.decode())
            sent += room
        await talk.ledger.until(lambda: len(talk.ledger.outcomes) == sent)
        assert dict(talk.ledger.outcomes) == {n: Accepted((f"text {n}",)) for n in range(sent)}


@pytest.mark.parametrize("status", [0x58, 0x14])
async def test_a_throttle_slows_the_line(talks: Talks, status: int) -> None:
    async with talks(throttle_first=0.3, throttle_longest=0.3) as talk:
        (part,) = await talk.send(1)
        part.reject(status)
        await talk.running.logs("smpp line slowed")
        assert talk.running.carrier.room() == 0
        assert talk.running.carrier.up()
        (await talk.smsc.submitted()).accept("m1")
        await talk.assert_sends(2)


async def test_a_text_that_is_throttled_for_long_is_given_back(talks: Talks) -> None:
    async with talks() as talk:
        (part,) = await talk.send(1)
        given_back = asyncio.create_task(talk.ledger.outcome_of(1))
        while not given_back.done():
            part.reject(0x58)
            again = asyncio.create_task(talk.smsc.submitted())
            await asyncio.wait({again, given_back}, return_when=asyncio.FIRST_COMPLETED)
            if again.done():
                part = again.result()
        again.cancel()
        outcome = given_back.result()
        assert isinstance(outcome, Refused)
        assert (outcome.reason, outcome.retry_after is None) == ("queue_full", False)


async def test_the_rest_of_a_throttled_text_goes_again(talks: Talks) -> None:
    async with talks() as talk:
        first, second, third = await talk.send(1, LONG)
        first.accept("m1")
        third.accept("m3")
        second.reject(0x58)
        again = await talk.smsc.submitted()
        assert again.short_message == second.short_message
        again.accept("m2")
        assert await talk.ledger.outcome_of(1) == Accepted(("m1", "m2", "m3"))


async def test_a_receipt_before_the_answer(talks: Talks) -> None:
    async with talks() as talk:
        (part,) = await talk.send(1)
        assert await talk.smsc.deliver(receipt("DELIVRD")) == 0
        assert [told.part_id for told in talk.ledger.receipts] == ["m1"]
        assert talk.ledger.outcomes == []
        part.accept("m1")
        assert await talk.ledger.outcome_of(1) == Accepted(("m1",))


async def test_what_is_not_stored_is_not_taken(talks: Talks) -> None:
    ledger = Ledger(hold=True)
    async with talks(ledger) as talk:
        await talk.running.bound()
        await talk.smsc.until_bound(1)
        answer = asyncio.create_task(talk.smsc.deliver(Delivery(b"Hello?")))
        await ledger.until(lambda: ledger.futures)
        assert not answer.done()
        ledger.futures[0].set_exception(OSError("no database"))
        assert await answer == 0x64


async def test_the_line_says_goodbye(talks: Talks) -> None:
    async with talks() as talk:
        (part,) = await talk.send(1)
        stopping = asyncio.create_task(talk.running.stop())
        part.accept("m1")
        await stopping
        assert dict(talk.ledger.outcomes) == {1: Accepted(("m1",))}
        assert talk.wire.count(UNBIND) == 1
        await talk.smsc.until_bound(0)


@pytest.mark.parametrize(("settings", "wanted"), [({}, r"0000000001[0-3]\d000R"), ({"send_validity": False}, "")])
async def test_a_text_says_how_long_it_is_worth_sending(talks: Talks, settings: dict[str, bool], wanted: str) -> None:
    async with talks(**settings) as talk:
        await talk.running.bound()
        talk.running.carrier.send([replace(outbound(1), valid_until=datetime.now(UTC) + timedelta(seconds=90))])
        (await talk.smsc.submitted()).accept("m1")
        await talk.ledger.outcome_of(1)
        (submit,) = [pdu for pdu in talk.wire.pdus() if pdu.command_id == 4]
        assert re.fullmatch(wanted, submit.validity_period)


@pytest.mark.parametrize(
    ("state", "says", "reason"),
    [(1, "sent", None), (2, "delivered", None), (3, "expired", "unreachable"), (5, "undelivered", "unreachable")],
)
async def test_a_query_is_answered(talks: Talks, state: int, says: str, reason: str | None) -> None:
    async with talks() as talk:
        await talk.running.bound()
        asking = asyncio.create_task(talk.running.carrier.look_up(Doubt(outbound(1), ("m1",), NOW)))
        query = await talk.smsc.queried()
        assert query.message_id == "m1"
        query.answer(0, state)
        found = await asking
        assert isinstance(found, Found)
        assert found.part_ids == ("m1",)
        assert [(told.part_id, told.state, told.reason) for told in found.receipts] == [("m1", says, reason)]


async def test_a_query_is_refused(talks: Talks) -> None:
    async with talks() as talk:
        await talk.running.bound()
        asking = asyncio.create_task(talk.running.carrier.look_up(Doubt(outbound(1), ("m1",), NOW)))
        await talk.smsc.refuse_query()
        assert isinstance(await asking, Unknown)
        await talk.assert_sends(1)
