"""The same conversation with an SMSC that others wrote: smpp34's server."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import smpp34

from smsdesk.carriers.contract import Accepted, Refused
from smsdesk.domain.gsm import decode

from .rig import Running, line, outbound


@pytest.fixture
async def conversation() -> AsyncIterator[tuple[smpp34.Server, Running, smpp34.Esme]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = smpp34.Server("127.0.0.1", port, system_id="SMSC")
    await server.start()
    try:
        async with line(port, enquire_link=0.05, response_timeout=2.0) as running:
            esme = await asyncio.wait_for(server.next(), 5)
            assert isinstance(esme, smpp34.Esme)
            await running.bound()
            yield server, running, esme
    finally:
        await server.stop()


Conversation = tuple[smpp34.Server, Running, smpp34.Esme]


async def submitted(server: smpp34.Server) -> smpp34.SubmitSmEvent:
    event = await asyncio.wait_for(server.next(), 5)
    assert isinstance(event, smpp34.SubmitSmEvent)
    return event


@pytest.mark.parametrize(
    ("body", "coding", "parts"),
    [("Hello John", 0, 1), ("Grüße {€}", 0, 1), ("Здравствуйте 😀", 8, 1), ("{€}" * 80, 0, 4), ("😀 ok " * 30, 8, 3)],
)
async def test_texts_arrive_whole(conversation: Conversation, body: str, coding: int, parts: int) -> None:
    server, running, esme = conversation
    assert esme.system_id == "acme"
    running.carrier.send([outbound(1, body)])
    arrived = {}  # by part: this server hands out what came at the same time in any order
    for _ in range(parts):
        event = await submitted(server)
        assert (event.source_addr, event.destination_addr) == ("16285550199", "14155550100")
        assert (event.data_coding, event.esm_class) == (coding, 0x40 if parts > 1 else 0)
        message = bytes(event.short_message)
        number = message[5] if parts > 1 else 1
        arrived[number] = decode(message[6:] if parts > 1 else message, coding)[0]
        event.accept(f"m{number}")
    numbers = range(1, parts + 1)
    assert "".join(arrived[number] for number in numbers) == body
    assert await running.ledger.outcome_of(1) == Accepted(tuple(f"m{number}" for number in numbers))


async def test_a_refusal_arrives(conversation: Conversation) -> None:
    server, running, _ = conversation
    running.carrier.send([outbound(1)])
    (await submitted(server)).reject(smpp34.ESME_RINVDSTADR)
    assert await running.ledger.outcome_of(1) == Refused("unknown_number", "ESME_RINVDSTADR (0x0000000B)")


async def test_receipts_and_replies_arrive_and_are_answered(conversation: Conversation) -> None:
    _, running, esme = conversation
    answers = [
        await esme.deliver_sm("16285550199", b"id:m1 stat:UNDELIV err:012", source_addr="14155550100", esm_class=4),
        await esme.deliver_sm(
            "16285550199",
            source_addr="14155550100",
            esm_class=4,
            tlvs=[smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"m2\0"), smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\2")],
        ),
        await esme.deliver_sm("16285550199", "sì 😀".encode("utf-16-be"), source_addr="14155550100", data_coding=8),
    ]
    assert all(answer.is_success for answer in answers)
    assert [(receipt.part_id, receipt.state) for receipt in running.ledger.receipts] == [
        ("m1", "undelivered"),
        ("m2", "delivered"),
    ]
    assert [reply.body for reply in running.ledger.replies] == ["sì 😀"]


async def test_each_of_many_texts_gets_its_own_answer(conversation: Conversation) -> None:
    server, running, _ = conversation
    sent = 0
    while sent < 400:
        await running.bound()
        room = running.carrier.room()
        running.carrier.send([outbound(sent + n, f"text {sent + n}") for n in range(room)])
        for _ in range(room):
            event = await submitted(server)
            event.accept(bytes(event.short_message).decode())
        sent += room
    await running.ledger.until(lambda: len(running.ledger.outcomes) == sent)
    assert dict(running.ledger.outcomes) == {n: Accepted((f"text {n}",)) for n in range(sent)}


async def test_the_line_stays_up_by_enquire_link(conversation: Conversation) -> None:
    """Silence of several enquire_link periods: the other SMSC answers ours, or the line would be given up."""
    server, running, _ = conversation
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(server.next(), 0.3)
    assert running.carrier.state() == "bound"
    assert running.ledger.rooms == 1


async def test_the_unbind_is_understood(conversation: Conversation) -> None:
    server, running, esme = conversation
    await running.stop()
    event = await asyncio.wait_for(server.next(), 5)
    assert isinstance(event, smpp34.Unbound)
    assert event.session_id == esme.session_id
