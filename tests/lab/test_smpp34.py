"""The lab in conversation with an ESME that is not ours: the PyPI package smpp34."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import smpp34

from lab.rig import HANDSET, NUMBER, PATIENCE, Rig, running
from smsdesk.lab.dialect import Dialect


@asynccontextmanager
async def bound(rig: Rig, system_id: str = "acme", **options: Any) -> AsyncIterator[smpp34.Smsc]:
    client = smpp34.Client("127.0.0.1", rig.lab.smpp_port, system_id, "hush", **options)
    session = await client.connect()
    try:
        yield session
    finally:
        await client.stop()


async def submit(session: smpp34.Smsc, body: bytes, **fields: Any) -> smpp34.SubmitSmResp:
    plain: dict[str, Any] = {"source_addr": NUMBER[1:], "source_addr_ton": 1, "dest_addr_ton": 1}
    return await asyncio.wait_for(session.submit_sm(HANDSET[1:], body, **(plain | fields)), PATIENCE)


async def following(session: smpp34.Smsc) -> smpp34.DeliverSmEvent:
    event = await asyncio.wait_for(session.next(), PATIENCE)
    assert isinstance(event, smpp34.DeliverSmEvent)
    return event


def tlvs(event: smpp34.DeliverSmEvent) -> dict[int, bytes]:
    return {tlv.tag: tlv.value for tlv in event.tlvs}


async def test_one_part_text_and_its_receipt(rig: Rig) -> None:
    async with bound(rig) as session:
        answer = await submit(
            session, b"Hello \x00 home", registered_delivery=1, tlvs=[smpp34.Tlv(0x0204, b"\x12\x34")]
        )
        receipt = await following(session)
    assert answer.is_success
    [text] = await rig.texts()
    assert (text["body"], text["source"], text["parts"], text["encoding"]) == ("Hello @ home", NUMBER, 1, "gsm7")
    assert text["carrier_ids"] == [answer.message_id]
    assert receipt.esm_class == 0x04
    assert (receipt.source_addr, receipt.destination_addr) == (HANDSET[1:], NUMBER[1:])
    assert receipt.short_message.startswith(f"id:{answer.message_id} sub:001 dlvrd:001 submit date:".encode())
    assert receipt.short_message.endswith(b"stat:DELIVRD err:000 text:Hello \x00 home")
    assert tlvs(receipt) == {0x001E: f"{answer.message_id}\0".encode(), 0x0427: b"\x02", 0x0204: b"\x12\x34"}


async def test_no_receipt_unless_asked_for(rig: Rig) -> None:
    async with bound(rig) as session:
        await submit(session, b"quiet", registered_delivery=0)
        await submit(session, b"only bad news", registered_delivery=2)
        await submit(session, b"bad #undeliv", registered_delivery=2)
        receipt = await following(session)
    assert b"stat:UNDELIV err:001 text:bad #undeliv" in receipt.short_message


def in_udh_8(total: int, place: int) -> dict[str, Any]:
    return {"head": bytes((5, 0, 3, 77, total, place)), "esm_class": 0x40}


def in_udh_16(total: int, place: int) -> dict[str, Any]:
    return {"head": bytes((6, 8, 4, 1, 77, total, place)), "esm_class": 0x40}


def in_udh_behind_ports(total: int, place: int) -> dict[str, Any]:
    return {"head": bytes((11, 5, 4, 0, 1, 0, 2, 0, 3, 77, total, place)), "esm_class": 0x40}


def in_sar(total: int, place: int) -> dict[str, Any]:
    values = {0x020C: b"\x00\x4d", 0x020E: bytes((total,)), 0x020F: bytes((place,))}
    return {"tlvs": [smpp34.Tlv(tag, value) for tag, value in values.items()]}


@pytest.mark.parametrize("joined", [in_udh_8, in_udh_16, in_udh_behind_ports, in_sar])
@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
async def test_three_parts_become_one_text(rig: Rig, joined: Any, order: tuple[int, ...]) -> None:
    parts = {1: b"The first part, ", 2: b"the second \x1b", 3: b"e and the last"}  # an euro sign cut in two
    answers = {}
    async with bound(rig) as session:
        for place in order:
            fields = joined(3, place)
            answers[place] = await submit(session, fields.pop("head", b"") + parts[place], **fields)
    [text] = await rig.texts()
    assert text["body"] == "The first part, the second € and the last"
    assert text["carrier_ids"] == [answers[place].message_id for place in (1, 2, 3)]
    assert text["submits"] == [1, 1, 1]


async def test_message_payload_and_codings(rig: Rig) -> None:
    long_text = "Zażółć 🎁 " * 20
    async with bound(rig) as session:
        payload = smpp34.Tlv(0x0424, long_text.encode("utf-16-be"))
        await submit(session, b"", data_coding=8, tlvs=[payload])
        await submit(session, "à la carte".encode("latin-1"), data_coding=3)
        await submit(session, b"\xde\xad", data_coding=4)
    assert await rig.bodies() == [long_text, "à la carte", "de ad"]
    assert [text["encoding"] for text in await rig.texts()] == ["ucs2", "latin1", "binary"]


async def test_a_reply_reaches_the_esme(rig: Rig) -> None:
    async with bound(rig) as session:
        await submit(session, b"Shall we?")
        typed = await rig.type("Yes [please] €", to=None)
        reply = await following(session)
    assert (reply.source_addr, reply.destination_addr, reply.esm_class) == (HANDSET[1:], NUMBER[1:], 0)
    assert (reply.data_coding, reply.short_message) == (0, b"Yes \x1b<please\x1b> \x1be")
    assert tlvs(reply) == {0x001E: typed["message_ids"][0].encode() + b"\0"}


async def test_a_long_reply_comes_in_parts(rig: Rig) -> None:
    body = "“Quoted”, and long: " * 8
    async with bound(rig) as session:
        await rig.type(body)
        # smpp34 hands them over in any order.
        parts = sorted([await following(session) for _ in range(3)], key=lambda part: part.short_message[:6])
    assert {part.data_coding for part in parts} == {8}
    assert {part.esm_class for part in parts} == {0x40}
    assert [part.short_message[4:6] for part in parts] == [b"\x03\x01", b"\x03\x02", b"\x03\x03"]
    assert b"".join(part.short_message[6:] for part in parts).decode("utf-16-be") == body


async def test_each_system_gets_its_own_receipts_and_replies(rig: Rig) -> None:
    async with bound(rig, "acme") as ours, bound(rig, "globex") as theirs:
        answer = await submit(theirs, b"from globex", source_addr="16285550111", registered_delivery=1)
        await submit(ours, b"from acme", registered_delivery=1)
        await rig.type("to globex", to="+16285550111")
        await rig.type("to acme")
        got_by_globex = [(await following(theirs)).short_message for _ in range(2)]
        got_by_acme = [(await following(ours)).short_message for _ in range(2)]
    assert f"id:{answer.message_id} ".encode() in sorted(got_by_globex)[0]
    assert sorted(got_by_globex)[1] == b"to globex"
    assert sorted(got_by_acme)[1] == b"to acme"


async def test_ids_in_two_dialects() -> None:
    async with running(dialect=Dialect(receipt_ids="decimal")) as rig, bound(rig) as session:
        answer = await submit(session, b"which?", registered_delivery=1)
        receipt = await following(session)
    assert answer.message_id is not None
    assert receipt.short_message.startswith(f"id:{int(answer.message_id, 16)} ".encode())
