"""Receipts in every dialect: none that names a message is dropped."""

import pytest

from smsdesk.carriers.contract import Receipt
from smsdesk.carriers.smpp.config import IdForm
from smsdesk.carriers.smpp.pdu import Tag
from smsdesk.carriers.smpp.receipts import is_receipt, normalise_id, read_receipt
from smsdesk.domain.outcome import REASONS

from .rig import config

LONG_FORM = "id:{} sub:001 dlvrd:001 submit date:2110041720 done date:211004172051 stat:{} err:{} {}:Hello id:9 stat:X"
DELIVERED_7 = {Tag.RECEIPTED_MESSAGE_ID: b"7\0", Tag.MESSAGE_STATE: b"\2"}
FAILED = {Tag.MESSAGE_STATE: b"\5", Tag.NETWORK_ERROR_CODE: b"\3\0\x0c"}
UUID = "3b08ca73-4244-4717-9e88-082414ff3d2e"


@pytest.mark.parametrize(
    ("text", "tlvs", "receipt"),
    [
        (LONG_FORM.format("7f", "DELIVRD", "000", "text"), {}, ("7f", "delivered", None, "stat:DELIVRD err:000")),
        (
            LONG_FORM.format("7", "UNDELIV", "12", "Text"),
            {},
            ("7", "undelivered", "unreachable", "stat:UNDELIV err:12"),
        ),
        (LONG_FORM.format(UUID, "DELIVRD", "0x00", "TEXT"), {}, (UUID, "delivered", None, "stat:DELIVRD err:0x00")),
        ("id:a:b/1_2 stat:DELIVRD", {}, ("a:b/1_2", "delivered", None, "stat:DELIVRD")),
        ("ID: 7 STAT: delivrd", {}, ("7", "delivered", None, "stat:DELIVRD")),
        ("stat:EXPIRED id:7", {}, ("7", "expired", "unreachable", "stat:EXPIRED")),
        ("id:7 stat:REJECTD err:0b", {}, ("7", "failed", "blocked", "stat:REJECTD err:0b")),
        ("id:7 stat:DELETED", {}, ("7", "failed", "unknown_error", "stat:DELETED")),
        ("id:7 stat:UNKNOWN", {}, ("7", "undelivered", "unknown_error", "stat:UNKNOWN")),
        ("id:7 stat:ACCEPTD", {}, ("7", "sent", None, "stat:ACCEPTD")),
        ("id:7 stat:ENROUTE", {}, ("7", "sent", None, "stat:ENROUTE")),
        ("id:7 stat:BUFFRED", {}, ("7", "sent", None, "stat:BUFFRED")),
        ("id:7 stat:FAILED err:1", {}, ("7", "undelivered", "unknown_error", "stat:FAILED err:1")),
        ("id:7 stat:Delivered", {}, ("7", "delivered", None, "stat:DELIVRD")),
        ("id:7 stat:UNDELIVERABLE", {}, ("7", "undelivered", "unreachable", "stat:UNDELIV")),
        ("id:7 stat:undel", {}, ("7", "undelivered", "unreachable", "stat:UNDELIV")),
        ("id:7 stat:REJECTED", {}, ("7", "failed", "blocked", "stat:REJECTD")),
        ("id:7 stat:2", {}, ("7", "delivered", None, "stat:DELIVRD")),
        ("id:7 stat:8", {}, ("7", "failed", "blocked", "stat:REJECTD")),
        ("", DELIVERED_7, ("7", "delivered", None, "stat:DELIVRD")),
        ("id:8 stat:UNDELIV", DELIVERED_7, ("7", "delivered", None, "stat:DELIVRD")),
        ("id:7", FAILED, ("7", "undelivered", "unreachable", "stat:UNDELIV err:03000c")),
        ("id:7", {Tag.MESSAGE_STATE: b"\x63"}, ("7", "sent", None, "stat:99")),
        ("id:7 stat:SOMETHING err:5", {}, ("7", "sent", None, "stat:SOMETHING err:5")),
        ("id:7", {}, ("7", "sent", None, "stat:none")),
        ("id: sub:001 stat:DELIVRD", {}, None),
        ("stat:DELIVRD", {}, None),
        ("text:id:7 stat:DELIVRD", {}, None),
        ("", {Tag.MESSAGE_STATE: b"\2"}, None),
        ("", {}, None),
    ],
)
def test_receipts(text: str, tlvs: dict[int, bytes], receipt: tuple[str, str, str | None, str] | None) -> None:
    read = read_receipt(text, tlvs, config(2775))
    assert read == (Receipt(*receipt) if receipt else None)
    assert read is None or read.reason is None or read.reason in REASONS


@pytest.mark.parametrize(
    ("text", "tlvs", "reason"),
    [
        ("id:7 stat:UNDELIV err:012", {}, "landline"),
        ("id:7 stat:UNDELIV err:12", {}, "landline"),
        ("id:7 stat:REJECTD err:0B", {}, "filtered"),
        ("id:7 stat:REJECTD err:0x0b", {}, "filtered"),
        ("id:7", FAILED, "unknown_number"),
        ("id:7 stat:UNDELIV err:13", {}, "unreachable"),
        ("id:7 stat:DELIVRD err:012", {}, None),
        ("id:7 stat:ENROUTE err:012", {}, None),
    ],
)
def test_a_person_may_say_what_an_error_means(text: str, tlvs: dict[int, bytes], reason: str | None) -> None:
    errors = {"012": "landline", "0b": "filtered", "03000c": "unknown_number"}
    receipt = read_receipt(text, tlvs, config(2775, receipt_errors=errors))
    assert receipt is not None
    assert receipt.reason == reason


def test_the_receipt_of_a_text_that_went_uncut_is_for_all_parts() -> None:
    receipt = read_receipt("id:7 stat:DELIVRD", {}, config(2775, long_texts="payload"))
    assert receipt == Receipt("7", "delivered", None, "stat:DELIVRD", whole=True)


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
        (0x84, {}, True),
        (0x20, {}, True),
        (0x00, {}, False),
        (0x40, {}, False),
        (0x08, {}, False),
        (0x00, {Tag.RECEIPTED_MESSAGE_ID: b"7"}, False),
        (0x00, {Tag.RECEIPTED_MESSAGE_ID: b"7", Tag.MESSAGE_STATE: b"\2"}, True),
    ],
)
def test_what_is_a_receipt(esm_class: int, tlvs: dict[int, bytes], expected: bool) -> None:
    assert is_receipt(esm_class, tlvs) is expected


@pytest.mark.parametrize("name", ["7f", "text", "TEXT-1", "id", "a/b_2", "text:8", "id:8", "stat:X"])
@pytest.mark.parametrize("error", ["000", "0x0b", "id", "text", "1:2"])
def test_the_usual_form_is_read_as_any_other(name: str, error: str) -> None:
    usual = LONG_FORM.format(name, "UNDELIV", error, "text")
    other = usual.replace("dlvrd:001 ", "")
    assert read_receipt(usual, {}, config(2775)) == read_receipt(other, {}, config(2775))
