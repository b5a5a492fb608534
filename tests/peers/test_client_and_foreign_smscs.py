"""Our SMPP client in conversation with two SMSCs that others wrote: the cases of all peers (R47)."""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any

import gsm0338
import pytest

from smsdesk.carriers.contract import Accepted, Refused
from tests.peers.cases import (
    DATA_CODINGS,
    LINES,
    NUMBER,
    PHONE,
    REFUSALS,
    REPORTS,
    TEXTS_IN,
    TEXTS_OUT,
    Line,
    Refusal,
    Report,
    TextIn,
    TextOut,
)
from tests.peers.client_cases import UDHI, receipt, sar, udh_8, udh_16
from tests.peers.foreign import Delivery, Submit
from tests.peers.talk import Talk, Talks

ENQUIRE_LINK, TRANSCEIVER, TRANSMITTER, RECEIVER = 0x15, 9, 2, 1
CODECS = {"ascii": "ascii", "latin1": "latin-1", "ucs2": "utf-16-be"}
name = attrgetter("name")


@pytest.mark.parametrize("case", TEXTS_OUT, ids=name)
async def test_a_text_is_on_the_phone_as_it_was_written(talks: Talks, case: TextOut) -> None:
    async with talks() as talk:
        parts = await talk.send(1, case.body, case.source)
        assert len(parts) == case.parts
        assert {part.data_coding for part in parts} == {DATA_CODINGS[case.encoding]}
        assert {part.source_addr for part in parts} == {case.source.removeprefix("+")}
        assert read(b"".join(map(text_of, parts)), case.encoding) == case.body
        for number, part in enumerate(parts, 1):
            part.accept(f"m{number}")
        wanted = tuple(f"m{number}" for number in range(1, case.parts + 1))
        assert await talk.ledger.outcome_of(1) == Accepted(wanted)


def text_of(part: Submit) -> bytes:
    """The octets of a part without its header, as a phone takes it off."""
    return part.short_message[1 + part.short_message[0] :] if part.esm_class & UDHI else part.short_message


def read(octets: bytes, encoding: str) -> str:
    """What a phone shows; the GSM alphabet is that of the PyPI package gsm0338."""
    if encoding == "gsm7":
        body: str = gsm0338.Codec().decode(octets)[0]
        return body
    return octets.decode(CODECS[encoding])


@pytest.mark.parametrize("case", REPORTS, ids=name)
async def test_a_receipt_is_understood(talks: Talks, case: Report) -> None:
    async with talks() as talk:
        (part,) = await talk.send(1)
        part.accept("m1")
        assert await talk.smsc.deliver(receipt(case.stat, err=case.err)) == 0
        (told,) = talk.ledger.receipts
        assert (told.part_id, told.state == "delivered", told.reason is None) == ("m1", case.delivered, case.delivered)
        assert told.code == f"stat:{case.stat} err:{case.err}"


@pytest.mark.parametrize("case", REFUSALS, ids=name)
async def test_a_refusal_is_for_now_or_for_good(talks: Talks, case: Refusal) -> None:
    async with talks() as talk:
        (part,) = await talk.send(1)
        part.reject(case.status)
        if case.for_now:
            again = await talk.smsc.submitted()
            assert again.short_message == part.short_message
            again.accept("m1")
            assert await talk.ledger.outcome_of(1) == Accepted(("m1",))
        else:
            outcome = await talk.ledger.outcome_of(1)
            assert isinstance(outcome, Refused)
            assert outcome.retry_after is None
        await talk.assert_sends(2)


@pytest.mark.parametrize("case", TEXTS_IN, ids=name)
async def test_a_reply_is_handed_over_as_it_was_typed(talks: Talks, case: TextIn) -> None:
    async with talks() as talk:
        await talk.smsc.until_bound(1)
        deliveries = typed(case)
        for delivery in deliveries:
            assert await talk.smsc.deliver(delivery) == 0
        replies = talk.ledger.replies
        assert "".join(reply.body for reply in replies) == case.body
        assert {(reply.source, reply.destination, reply.encoding) for reply in replies} == {
            (PHONE, NUMBER, case.encoding)
        }
        if len(deliveries) > 1:
            assert [reply.part and reply.part[1:] for reply in replies] == [(n, case.parts) for n in (1, 2, 3)]
            assert len({reply.part and reply.part[0] for reply in replies}) == 1


def typed(case: TextIn) -> list[Delivery]:
    """The deliver_sm of a text, as a phone and its SMSC make them."""
    octets, coding = written(case), DATA_CODINGS[case.encoding]
    if case.joined == "payload":
        return [Delivery(data_coding=coding, tlvs={0x0424: octets})]
    if case.parts == 1:
        return [Delivery(octets, data_coding=coding)]
    pieces = cut(octets, 134 if case.encoding == "ucs2" else 152)
    assert len(pieces) == case.parts
    return [joined(case.joined, piece, number, case.parts, coding) for number, piece in enumerate(pieces, 1)]


def written(case: TextIn) -> bytes:
    """What a phone types, as octets."""
    if case.encoding == "binary":
        return bytes.fromhex(case.body)
    if case.encoding == "gsm7":
        octets: bytes = gsm0338.Codec().encode(case.body)[0]
        return octets
    return case.body.encode(CODECS[case.encoding])


def cut(octets: bytes, size: int) -> list[bytes]:
    """Pieces of at most this size, none of which ends with a GSM escape."""
    pieces = []
    while octets:
        end = size - octets[:size].endswith(b"\x1b")
        pieces.append(octets[:end])
        octets = octets[end:]
    return pieces


def joined(how: str, piece: bytes, number: int, total: int, coding: int) -> Delivery:
    """One piece of a long text."""
    if how == "sar":
        return Delivery(piece, data_coding=coding, tlvs=sar(number, total))
    header = udh_16(number, total) if how == "udh16" else udh_8(number, total)
    return Delivery(header + piece, UDHI, coding)


async def bound_as_transceiver(talk: Talk) -> None:
    await talk.until_heard(TRANSCEIVER, 1)


async def bound_as_two(talk: Talk) -> None:
    await talk.smsc.until_bound(2)
    assert (talk.wire.count(TRANSMITTER), talk.wire.count(RECEIVER)) == (1, 1)


async def asked(talk: Talk) -> None:
    await talk.smsc.until_bound(1)
    assert await talk.smsc.enquire() == 0


async def quiet(talk: Talk) -> None:
    await talk.until_heard(ENQUIRE_LINK, 3)
    assert talk.wire.count(TRANSCEIVER) == 1, "the line came down"


async def dropped(talk: Talk) -> None:
    old = await talk.smsc.until_bound(1)
    talk.wire.cut()
    await talk.smsc.until_bound_anew(old)


async def unbound(talk: Talk) -> None:
    old = await talk.smsc.until_bound(1)
    await talk.smsc.unbind()
    await talk.running.logs("the carrier unbound")
    await talk.smsc.until_bound_anew(old)


async def refused(talk: Talk) -> None:
    await talk.running.logs("bind refused: ESME_RINVPASWD (0x0000000E)")


async def away(talk: Talk) -> None:
    """What was typed meanwhile comes as soon as the line is bound."""
    await talk.smsc.until_bound(1)
    async with talk.wire.down():
        await talk.smsc.until_bound(0)
        await talk.until_down()


EVENTS: dict[str, tuple[Callable[[Talk], Awaitable[None]], dict[str, Any]]] = {
    "transceiver": (bound_as_transceiver, {}),
    "transmitter_and_receiver": (bound_as_two, {"bind": "pair"}),
    "enquire_link": (asked, {}),
    "quiet": (quiet, {"enquire_link": 0.05, "response_timeout": 0.5}),
    "drop": (dropped, {}),
    "unbind": (unbound, {}),
    "bind_refused": (refused, {"smsc": {"refused_binds": 1}}),
    "away": (away, {}),
}
"""What happens to the line, and the settings of either side for it."""


@pytest.mark.parametrize("case", LINES, ids=name)
async def test_a_text_and_a_reply_pass_once_afterwards(talks: Talks, case: Line) -> None:
    happen, settings = EVENTS[case.event]
    async with talks(**settings) as talk:
        await happen(talk)
        await talk.smsc.until_bound(2 if case.event == "transmitter_and_receiver" else 1)
        assert await talk.smsc.deliver(Delivery(b"Hello?")) == 0
        await talk.assert_sends(1)
        assert [reply.body for reply in talk.ledger.replies] == ["Hello?"]
        assert talk.smsc.submits.empty()
