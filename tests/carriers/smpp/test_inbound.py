"""Texts from phones: every data_coding, every esm_class, every way to say which part it is."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.carriers.contract import Receipt, Reply
from smsdesk.carriers.smpp.inbound import read_inbound
from smsdesk.carriers.smpp.pdu import DataSm, DeliverSm, Tag
from smsdesk.domain.gsm import pack, to_septets

from .rig import config

Tlvs = dict[int, bytes]
SAR: Tlvs = {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: b"\1"}


def reply_to(octets: bytes, esm_class: int = 0, coding: int = 0, tlvs: Tlvs | None = None, **quirks: Any) -> Reply:
    pdu = DeliverSm(1, esm_class=esm_class, data_coding=coding, short_message=octets, tlvs=tlvs or {})
    reply = read_inbound(pdu, "s", config(2775, **quirks))
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.parametrize(
    ("esm_class", "octets", "tlvs", "part", "body"),
    [
        (0x40, b"\5\0\3\xaa\2\1hi", {}, (0xAA, 1, 2), "hi"),
        (0xC0, b"\5\0\3\xaa\2\1hi", {}, (0xAA, 1, 2), "hi"),
        (0x40, b"\6\x08\4\x12\x34\3\2hi", {}, (0x1234, 2, 3), "hi"),
        (0x40, b"\x0a\x24\1\0\5\0\3\xaa\2\2\0hi", {}, None, "hi"),
        (0x40, b"\x08\x24\1\0\0\3\xaa\2\2hi", {}, (0xAA, 2, 2), "hi"),
        (0x40, b"\x0b\x05\4\x0b\x84\x23\xf0\0\3\x07\2\1hi", {}, (7, 1, 2), "hi"),
        (0x40, b"\5\0\3\xaa\2\3hi", {}, None, "hi"),
        (0x40, b"\5\0\3\xaa\1\1hi", {}, None, "hi"),
        (0x40, b"\x40hi", {}, None, "¡hi"),
        (0x40, b"", {}, None, ""),
        (0x00, b"hi", SAR, (258, 1, 2), "hi"),
        (0x40, b"\5\0\3\xaa\2\2hi", SAR, (0xAA, 2, 2), "hi"),
        (0x00, b"hi", {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2"}, None, "hi"),
        (0x00, b"", {Tag.MESSAGE_PAYLOAD: b"long"}, None, "long"),
        (0x40, b"", {Tag.MESSAGE_PAYLOAD: b"\5\0\3\xaa\2\1long"}, (0xAA, 1, 2), "long"),
    ],
)
def test_parts_of_replies(
    esm_class: int, octets: bytes, tlvs: Tlvs, part: tuple[int, int, int] | None, body: str
) -> None:
    reply = reply_to(octets, esm_class, tlvs=tlvs)
    assert (reply.part, reply.body) == (part, body)


@pytest.mark.parametrize(
    ("coding", "octets", "body", "encoding"),
    [
        (0, b"\x1b\x65 \x11", "€ _", "gsm7"),
        (1, b"[ok]", "[ok]", "ascii"),
        (2, b"\1\2", "01 02", "binary"),
        (3, b"caf\xe9", "café", "latin1"),
        (4, b"\1\2", "01 02", "binary"),
        (5, b"\x93\xfa\x96\x7b", "日本", "japanese"),
        (6, b"\xb4\xd0", "Да", "cyrillic"),
        (7, b"\xf9\xec", "של", "hebrew"),
        (8, b"\xd8\x3d\xde\x00", "😀", "ucs2"),
        (9, b"\x93\xfa", "日", "pictogram"),
        (10, b"\x1b$BF|\x1b(B", "日", "iso2022jp"),
        (13, b"\x1b$(D0!\x1b(B", "丂", "kanji"),
        (14, b"\xc7\xd1", "한", "korean"),
        (11, b"\1", "01", "binary"),
        (0x0F, b"\1", "01", "binary"),
        (0x10, b"\0", "@", "gsm7"),
        (0x14, b"\0", "00", "binary"),
        (0x18, b"\x20\xac", "€", "ucs2"),
        (0x30, b"\0", "00", "binary"),
        (0x48, b"\x20\xac", "€", "ucs2"),
        (0x80, b"\0", "00", "binary"),
        (0xBF, b"\0", "00", "binary"),
        (0xC0, b"\0", "@", "gsm7"),
        (0xD8, b"\0", "@", "gsm7"),
        (0xE0, b"\x20\xac", "€", "ucs2"),
        (0xF0, b"\0", "@", "gsm7"),
        (0xF1, b"\0", "@", "gsm7"),
        (0xF5, b"\0", "00", "binary"),
    ],
)
def test_every_data_coding(coding: int, octets: bytes, body: str, encoding: str) -> None:
    reply = reply_to(octets, coding=coding)
    assert (reply.body, reply.encoding, reply.payload) == (body, encoding, octets)


def test_what_a_carrier_means_by_its_own_coding() -> None:
    assert reply_to(b"caf\xe9", default_alphabet="latin1").body == "café"
    assert reply_to(b"[x]", default_alphabet="ascii").body == "[x]"
    assert reply_to(b"\0", coding=1, data_coding=1).body == "@"
    assert reply_to(b"\x20\xac", coding=0x18, ucs2_data_coding=0x18).body == "€"


@pytest.mark.parametrize("body", ["hello", "hellohe", "hellohel", "{€}", "sieben€"])
def test_packed_septets_are_taken_apart(body: str) -> None:
    septets = to_septets(body)
    assert reply_to(pack(septets), gsm7_packed=True).body == body
    for header in (b"\5\0\3\xaa\2\1", b"\6\x08\4\x12\x34\2\1"):
        reply = reply_to(header + pack(septets, len(header)), 0x40, gsm7_packed=True)
        assert (reply.body, reply.part is not None, reply.payload) == (body, True, septets)


def test_packing_leaves_ucs2_alone() -> None:
    assert reply_to(b"\x20\xac", coding=8, gsm7_packed=True).body == "€"


def test_a_reply_carries_the_carriers_name_for_it() -> None:
    assert reply_to(b"x", tlvs={Tag.RECEIPTED_MESSAGE_ID: b"mo-1\0"}).carrier_reference == "mo-1"


NAMED: Tlvs = {Tag.RECEIPTED_MESSAGE_ID: b"7\0"}


@pytest.mark.parametrize(
    ("esm_class", "octets", "tlvs", "state", "code"),
    [
        (0x04, b"id:7 stat:DELIVRD", {}, "delivered", "stat:DELIVRD"),
        (0x20, b"id:7 stat:ENROUTE", {}, "sent", "stat:ENROUTE"),
        (0x08, b"", NAMED, "delivered", "SME delivery acknowledgement"),
        (0x08, b"id:7 stat:UNDELIV", {}, "undelivered", "stat:UNDELIV"),
        (0x10, b"", NAMED, "delivered", "SME manual acknowledgement"),
        (0x18, b"", NAMED, "sent", "abort"),
    ],
)
def test_reports_of_every_kind(esm_class: int, octets: bytes, tlvs: Tlvs, state: str, code: str) -> None:
    pdu = DeliverSm(
        1, esm_class=esm_class, source_addr_ton=1, source_addr="14155550100", short_message=octets, tlvs=tlvs
    )
    receipt = read_inbound(pdu, "s", config(2775))
    assert isinstance(receipt, Receipt)
    assert (receipt.part_id, receipt.state, receipt.code) == ("7", state, code)
    assert receipt.number == "+14155550100"


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18])
def test_what_a_person_writes_is_a_reply_whatever_its_kind(esm_class: int) -> None:
    assert reply_to(b"yes please", esm_class, tlvs=NAMED).body == "yes please"


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18])
def test_an_acknowledgement_of_nothing_is_nothing(esm_class: int) -> None:
    assert read_inbound(DeliverSm(1, esm_class=esm_class), "s", config(2775)) is None


def test_receipts_in_ucs2_and_packed() -> None:
    text = "id:7 stat:DELIVRD"
    ucs2 = DeliverSm(1, esm_class=4, data_coding=8, short_message=text.encode("utf-16-be"))
    packed = DeliverSm(1, esm_class=4, short_message=pack(to_septets(text)))
    for pdu in (ucs2, packed):
        receipt = read_inbound(pdu, "s", config(2775, gsm7_packed=True))
        assert isinstance(receipt, Receipt)
        assert (receipt.part_id, receipt.state) == ("7", "delivered")


TLVS = st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=12), max_size=6)
OCTET = st.integers(0, 255)
QUIRKS = st.sampled_from([{}, {"gsm7_packed": True}, {"default_alphabet": "ascii"}, {"long_texts": "payload"}])


@settings(deadline=None)
@given(OCTET, OCTET, st.binary(max_size=60), TLVS, st.booleans(), QUIRKS)
def test_anything_inbound_is_a_reply_a_receipt_or_names_nothing(
    esm_class: int, coding: int, octets: bytes, tlvs: Tlvs, data: bool, quirks: dict[str, Any]
) -> None:
    if data:
        pdu: DataSm | DeliverSm = DataSm(1, esm_class=esm_class, data_coding=coding, tlvs=tlvs)
    else:
        pdu = DeliverSm(1, esm_class=esm_class, data_coding=coding, tlvs=tlvs, short_message=octets)
    fact = read_inbound(pdu, "s", config(2775, receipt_id="hex", **quirks))
    assert isinstance(fact, Reply) or esm_class & 0x3C or {Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE} <= tlvs.keys()
    assert fact is not None or not tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").strip(b"\0")
