"""Receipts, refusals, addresses and timers: tables and pure decisions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.carriers.contract import Receipt, Refused, Reply
from smsdesk.carriers.smpp.addressing import Address, read_address, write_address
from smsdesk.carriers.smpp.config import Config, IdForm
from smsdesk.carriers.smpp.inbound import read_inbound
from smsdesk.carriers.smpp.outcomes import refusal
from smsdesk.carriers.smpp.pdu import DataSm, DeliverSm, Tag
from smsdesk.carriers.smpp.receipts import is_receipt, normalise_id, read_receipt
from smsdesk.carriers.smpp.timers import Backoff, LinkTimer, Throttle
from smsdesk.domain.outcome import REASONS

from .rig import config

LONG_FORM = "id:{} sub:001 dlvrd:001 submit date:2110041720 done date:211004172051 stat:{} err:{} {}:Hello id:9 stat:X"
DELIVERED_7 = {Tag.RECEIPTED_MESSAGE_ID: b"7\0", Tag.MESSAGE_STATE: b"\2"}
FAILED = {Tag.MESSAGE_STATE: b"\5", Tag.NETWORK_ERROR_CODE: b"\3\0\x0c"}


@pytest.mark.parametrize(
    ("text", "tlvs", "receipt"),
    [
        (LONG_FORM.format("7f", "DELIVRD", "000", "text"), {}, ("7f", "delivered", None, "stat:DELIVRD err:000")),
        (
            LONG_FORM.format("7", "UNDELIV", "12", "Text"),
            {},
            ("7", "undelivered", "unreachable", "stat:UNDELIV err:12"),
        ),
        ("ID: 7 STAT: delivrd", {}, ("7", "delivered", None, "stat:DELIVRD")),
        ("stat:EXPIRED id:7", {}, ("7", "expired", "unreachable", "stat:EXPIRED")),
        ("id:7 stat:REJECTD err:0b", {}, ("7", "failed", "blocked", "stat:REJECTD err:0b")),
        ("id:7 stat:DELETED", {}, ("7", "failed", "unknown_error", "stat:DELETED")),
        ("id:7 stat:UNKNOWN", {}, ("7", "undelivered", "unknown_error", "stat:UNKNOWN")),
        ("id:7 stat:ACCEPTD", {}, ("7", "sent", None, "stat:ACCEPTD")),
        ("id:7 stat:ENROUTE", {}, ("7", "sent", None, "stat:ENROUTE")),
        ("", DELIVERED_7, ("7", "delivered", None, "stat:DELIVRD")),
        ("id:8 stat:UNDELIV", DELIVERED_7, ("7", "delivered", None, "stat:DELIVRD")),
        ("id:7", FAILED, ("7", "undelivered", "unreachable", "stat:UNDELIV err:03000c")),
        ("id:7 stat:SOMETHING", {}, None),
        ("stat:DELIVRD", {}, None),
        ("text:id:7 stat:DELIVRD", {}, None),
        ("", {}, None),
    ],
)
def test_receipts(text: str, tlvs: dict[int, bytes], receipt: tuple[str, str, str | None, str] | None) -> None:
    assert read_receipt(text, tlvs, "as_is") == (Receipt(*receipt) if receipt else None)


@pytest.mark.parametrize(
    ("message_id", "form", "plain"),
    [
        ("04D2", "as_is", "04D2"),
        ("04d2", "hex", "1234"),
        ("0000001234", "decimal", "1234"),
        ("0", "decimal", "0"),
        ("a-b", "hex", "a-b"),
        ("4D2", "decimal", "4D2"),
        ("٣", "decimal", "٣"),
        ("", "hex", ""),
    ],
)
def test_ids(message_id: str, form: IdForm, plain: str) -> None:
    assert normalise_id(message_id, form) == plain


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "expected"),
    [
        (0x04, {}, True),
        (0x44, {}, True),
        (0x20, {}, True),
        (0x00, {}, False),
        (0x40, {}, False),
        (0x00, {Tag.RECEIPTED_MESSAGE_ID: b"7"}, False),
        (0x00, {Tag.RECEIPTED_MESSAGE_ID: b"7", Tag.MESSAGE_STATE: b"\2"}, True),
    ],
)
def test_what_is_a_receipt(esm_class: int, tlvs: dict[int, bytes], expected: bool) -> None:
    assert is_receipt(esm_class, tlvs) is expected


SAR = {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: b"\1"}


@pytest.mark.parametrize(
    ("esm_class", "octets", "tlvs", "part", "body"),
    [
        (0x40, b"\5\0\3\xaa\2\1hi", {}, (0xAA, 1, 2), "hi"),
        (0x40, b"\6\x08\4\x12\x34\3\2hi", {}, (0x1234, 2, 3), "hi"),
        (0x40, b"\x0a\x24\1\0\5\0\3\xaa\2\2\0hi", {}, None, "hi"),
        (0x40, b"\x08\x24\1\0\0\3\xaa\2\2hi", {}, (0xAA, 2, 2), "hi"),
        (0x40, b"\5\0\3\xaa\2\3hi", {}, None, "hi"),
        (0x40, b"\5\0\3\xaa\1\1hi", {}, None, "hi"),
        (0x40, b"\x40hi", {}, None, "¡hi"),
        (0x40, b"", {}, None, ""),
        (
            0x00,
            b"hi",
            {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: b"\1"},
            (258, 1, 2),
            "hi",
        ),
        (0x00, b"hi", {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2"}, None, "hi"),
        (0x00, b"", {Tag.MESSAGE_PAYLOAD: b"long"}, None, "long"),
    ],
)
def test_parts_of_replies(
    esm_class: int, octets: bytes, tlvs: dict[int, bytes], part: tuple[int, int, int] | None, body: str
) -> None:
    reply = read_inbound(DeliverSm(1, esm_class=esm_class, short_message=octets, tlvs=tlvs), "s", "as_is")
    assert isinstance(reply, Reply)
    assert (reply.part, reply.body) == (part, body)


def test_a_reply_carries_the_carriers_name_for_it() -> None:
    reply = read_inbound(DeliverSm(1, tlvs={Tag.RECEIPTED_MESSAGE_ID: b"mo-1\0"}), "s", "as_is")
    assert isinstance(reply, Reply)
    assert reply.carrier_reference == "mo-1"


TLVS = st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=12), max_size=6)
OCTET = st.integers(0, 255)


@settings(deadline=None)
@given(OCTET, OCTET, st.binary(max_size=60), TLVS, st.booleans())
def test_anything_inbound_is_a_reply_a_receipt_or_nothing(
    esm_class: int, coding: int, octets: bytes, tlvs: dict[int, bytes], data: bool
) -> None:
    fields = {"esm_class": esm_class, "data_coding": coding, "tlvs": tlvs}
    pdu = DataSm(1, **fields) if data else DeliverSm(1, short_message=octets, **fields)
    fact = read_inbound(pdu, "s", "hex")
    assert isinstance(fact, Reply) or is_receipt(esm_class, tlvs)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x58, Refused("queue_full", "ESME_RTHROTTLED (0x00000058)", 1.0)),
        (0x14, Refused("queue_full", "ESME_RMSGQFUL (0x00000014)", 1.0)),
        (0x08, Refused("carrier_error", "ESME_RSYSERR (0x00000008)", 60.0)),
        (0x0A, Refused("bad_sender", "ESME_RINVSRCADR (0x0000000A)")),
        (0x0B, Refused("unknown_number", "ESME_RINVDSTADR (0x0000000B)")),
        (0x45, Refused("blocked", "ESME_RSUBMITFAIL (0x00000045)")),
        (0x01, Refused("too_long", "ESME_RINVMSGLEN (0x00000001)")),
        (0x43, Refused("carrier_error", "ESME_RINVESMCLASS (0x00000043)")),
        (0xFF, Refused("unknown_error", "ESME_RUNKNOWNERR (0x000000FF)")),
        (0x400, Refused("unknown_error", "0x00000400")),
    ],
)
def test_refusals(status: int, expected: Refused) -> None:
    assert refusal(status) == expected


def test_every_refusal_has_a_sentence() -> None:
    assert {refusal(status).reason for status in range(1, 0x500)} <= set(REASONS)


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("+14155550100", Address(1, 1, "14155550100")),
        ("14155550100", Address(1, 1, "14155550100")),
        ("24273", Address(3, 0, "24273")),
        ("ACME", Address(5, 0, "ACME")),
    ],
)
def test_addresses(number: str, address: Address) -> None:
    assert write_address(number) == address
    assert write_address(number, ton=2, npi=8) == (2, 8, address.digits)


@pytest.mark.parametrize("number", ["", "+", "Twelve chars", "é", "A\0B", "1" * 21])
def test_what_is_no_address(number: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        write_address(number)


@pytest.mark.parametrize(
    ("ton", "digits", "number"),
    [
        (1, "14155550100", "+14155550100"),
        (0, "14155550100", "+14155550100"),
        (2, "4155550100", "4155550100"),
        (3, "24273", "24273"),
        (5, "ACME", "ACME"),
        (0, "24273", "24273"),
        (1, "+1415", "+1415"),
    ],
)
def test_addresses_are_read(ton: int, digits: str, number: str) -> None:
    assert read_address(ton, digits) == number


def test_silence_is_tested_once_and_then_ends_the_line() -> None:
    timer = LinkTimer(enquire_link=30, response_timeout=10, now=0)
    assert [timer.check(now) for now in (29, 30, 31, 39)] == ["quiet", "enquire", "quiet", "quiet"]
    timer.heard(39.5)
    assert [timer.check(now) for now in (41, 69, 69.5, 79, 79.5)] == ["quiet", "quiet", "enquire", "quiet", "dead"]


def test_pauses_double_to_their_limit_and_start_over() -> None:
    backoff = Backoff(0.2, 30, random=lambda: 1.0)
    assert [backoff.pause() for _ in range(9)] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30])
    backoff.reset()
    assert backoff.pause() == 0.2
    assert Backoff(0.2, 30, random=lambda: 0.0).pause() == 0.1


def test_a_rest_grows_with_each_throttle_and_fades() -> None:
    throttle = Throttle(first=1, longest=4)
    assert throttle.hit(100)
    assert not throttle.hit(100.5)
    assert throttle.remaining(100.5) == 0.5
    lengths, now = [], 101.0
    for _ in range(3):
        assert throttle.hit(now)
        lengths.append(throttle.remaining(now))
        now += lengths[-1]
    assert lengths == [2, 4, 4]
    assert throttle.remaining(now) == 0
    assert throttle.hit(now + 2 * Throttle.HALF_LIFE)
    assert throttle.remaining(now + 2 * Throttle.HALF_LIFE) == 2
    assert throttle.hit(1e12)
    assert throttle.remaining(1e12) == 1


def test_a_carrier_that_takes_some_and_refuses_the_rest_is_not_left_alone_longer() -> None:
    throttle = Throttle(first=1, longest=30)
    for now in range(100, 110):
        assert throttle.hit(now)
        assert throttle.remaining(now) == 1
        throttle.took()


def test_settings_hide_the_password() -> None:
    settings: Config = config(2775)
    assert "acme" in repr(settings)
    assert "hush" not in repr(settings)
