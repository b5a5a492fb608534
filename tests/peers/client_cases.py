"""What our SMPP client says and hears octet by octet, beside what `cases.py` has for all peers: one table for every
SMSC. The octets are written out here, from the standards and not from our code."""

from dataclasses import dataclass, field
from typing import Any

from smsdesk.carriers.contract import Accepted, Outcome, Refused
from tests.peers.foreign import Delivery

TEXT_ID = 0x1234
REFERENCE = {0x0204: b"\x12\x34"}
"""user_message_reference (SMPP 3.4 section 5.3.2.17): the text's id, modulo 65,536."""

UDHI = 0x40


def sar(number: int, total: int) -> dict[int, bytes]:
    """A part as SMPP 3.4 sections 5.3.2.22 to 24 mark it, with the text's reference."""
    return {0x020C: b"\x12\x34", 0x020E: bytes((total,)), 0x020F: bytes((number,))}


def udh_8(number: int, total: int, reference: int = 0x34) -> bytes:
    """A user data header that joins parts by 8 bits (3GPP TS 23.040 section 9.2.3.24.1)."""
    return bytes((5, 0, 3, reference, total, number))


def udh_16(number: int, total: int) -> bytes:
    """The same by 16 bits (section 9.2.3.24.8)."""
    return bytes((6, 8, 4, 0x12, 0x34, total, number))


@dataclass(frozen=True)
class Sent:
    """A text of ours, and each submit_sm that the SMSC must read: its short_message, and its optional parameters beside
    `REFERENCE`."""

    name: str
    body: str
    parts: tuple[tuple[bytes, dict[int, bytes]], ...]
    settings: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields of each submit_sm that are not those of a GSM text between two international numbers."""
    source: str = "+16285550199"


def plain(*parts: bytes) -> tuple[tuple[bytes, dict[int, bytes]], ...]:
    """Parts that have no optional parameter of their own."""
    return tuple((part, {}) for part in parts)


LONG, CYRILLIC = "a" * 152 + "b" * 20, "Ж" * 67 + "Я" * 5
"""A header of 16 bits leaves 152 septets, and SAR parameters become one; 8 bits leave 67 UTF-16 units."""

SENT = (
    Sent("letters of the GSM alphabet", "¿Grüße @ ñ?", plain(b"\x60Gr\x7e\x1ee \x00 \x7d?")),
    Sent("161 septets are two", "a" * 153 + "b" * 8, plain(udh_8(1, 2) + b"a" * 153, udh_8(2, 2) + b"b" * 8),
         fields={"esm_class": UDHI}),
    Sent("71 units are two", CYRILLIC, plain(
        udh_8(1, 2) + b"\x04\x16" * 67, udh_8(2, 2) + b"\x04\x2f" * 5), fields={"esm_class": UDHI, "data_coding": 8}),
    Sent("long in a 16-bit header", LONG, plain(
        udh_16(1, 2) + b"a" * 152, udh_16(2, 2) + b"b" * 20), {"long_texts": "udh16"}, {"esm_class": UDHI}),
    Sent("long in SAR parameters", LONG, ((b"a" * 152, sar(1, 2)), (b"b" * 20, sar(2, 2))), {"long_texts": "sar"}),
    Sent("long in message_payload", LONG, ((b"", {0x0424: LONG.encode()}),), {"long_texts": "payload"}),
    Sent("long UCS-2 in message_payload", CYRILLIC, ((b"", {0x0424: CYRILLIC.encode("utf-16-be")}),),
         {"long_texts": "payload"}, {"data_coding": 8}),
    Sent("a carrier of Latin-1", "Grüße @ ñ", plain("Grüße @ ñ".encode("latin-1")), {"default_alphabet": "latin1"}),
    Sent("a carrier of ASCII", "Hello @ John_", plain(b"Hello @ John_"), {"default_alphabet": "ascii"}),
    Sent("packed septets", "hellohello", plain(bytes.fromhex("e8329bfd4697d9ec37")), {"gsm7_packed": True}),
    Sent("another data_coding", "Hello", plain(b"Hello"), {"data_coding": 241}, {"data_coding": 241}),
    Sent("another address", "Hello", plain(b"Hello"), {"source_ton": 2, "source_npi": 8, "dest_ton": 0, "dest_npi": 0},
         {"source_addr_ton": 2, "source_addr_npi": 8, "dest_addr_ton": 0, "dest_addr_npi": 0}),
    Sent("a short code", "Hello", plain(b"Hello"), source="24273",
         fields={"source_addr_ton": 3, "source_addr_npi": 0, "source_addr": "24273"}),
    Sent("a sender's name", "Hello", plain(b"Hello"), source="ACME Inc",
         fields={"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "ACME Inc"}),
    Sent("a service type", "Hello", plain(b"Hello"), {"service_type": "VMA"}, {"service_type": "VMA"}),
)  # fmt: skip


@dataclass(frozen=True)
class Answered:
    """What the SMSC answers to a text of one part, or to each part of a longer one, and what comes of it."""

    name: str
    answers: tuple[str | int, ...]
    """A message_id or a command_status for each part."""
    outcome: Outcome
    settings: dict[str, Any] = field(default_factory=dict)


ANSWERED = (
    Answered("a message id as it is", ("A1-b2.C3",), Accepted(("A1-b2.C3",))),
    Answered("a hexadecimal id", ("00004D2F",), Accepted(("19759",)), {"response_id": "hex"}),
    Answered("a padded decimal id", ("0000019759",), Accepted(("19759",)), {"response_id": "decimal"}),
    Answered("the longest id", ("f" * 64,), Accepted(("f" * 64,))),
    Answered("an id for each part", ("m1", "m2", "m3"), Accepted(("m1", "m2", "m3"))),
    Answered("a bad sender", (0x0A,), Refused("bad_sender", "ESME_RINVSRCADR (0x0000000A)")),
    Answered("a text that is too long", (0x01,), Refused("too_long", "ESME_RINVMSGLEN (0x00000001)")),
    Answered("an error of the SMSC", (0x08,), Refused("carrier_error", "ESME_RSYSERR (0x00000008)", 60.0)),
    Answered("a refusal of a part", ("m1", 0x0B, "m3"), Refused(
        "unknown_number", "ESME_RINVDSTADR (0x0000000B)", None, ("m1", None, "m3"))),
    Answered("a status with a meaning of the carrier's", (0x45,), Refused(
        "opted_out", "ESME_RSUBMITFAIL (0x00000045)"), {"status_reasons": {"0x45": "opted_out"}}),
    Answered("a status beyond SMPP 3.4", (0x101,), Refused("unknown_error", "0x00000101")),
)  # fmt: skip


@dataclass(frozen=True)
class Reported:
    """A receipt of the SMSC, and what it says: part_id, state, reason."""

    name: str
    delivery: Delivery
    says: tuple[str, str, str | None]
    settings: dict[str, Any] = field(default_factory=dict)


def receipt(stat: str, message_id: str = "m1", dates: str = "2603021720", text: str = "text:", err: str = "012",
            **more: Any) -> Delivery:  # fmt: skip
    """A receipt as SMPP 3.4 appendix B writes it."""
    words = f"id:{message_id} sub:001 dlvrd:001 submit date:{dates} done date:{dates} stat:{stat} err:{err} {text}Hello"
    return Delivery(words.encode(), 0x04, **more)


REPORTED = (
    Reported("on its way", receipt("ENROUTE"), ("m1", "sent", None)),
    Reported("in lower case", receipt("delivrd"), ("m1", "delivered", None)),
    Reported("with seconds in its dates", receipt("DELIVRD", dates="260302172051"), ("m1", "delivered", None)),
    Reported("with Text in upper case", receipt("DELIVRD", text="Text:"), ("m1", "delivered", None)),
    Reported("of a state nobody knows", receipt("BUFFERD"), ("m1", "sent", None)),
    Reported("of a hexadecimal id", receipt("DELIVRD", "00004D2F"), ("19759", "delivered", None), {
        "receipt_id": "hex"}),
    Reported("of a padded decimal id", receipt("DELIVRD", "0000019759"), ("19759", "delivered", None), {
        "receipt_id": "decimal"}),
    Reported("of a carrier's error", receipt("UNDELIV"), ("m1", "undelivered", "landline"), {
        "receipt_errors": {"012": "landline"}}),
    Reported("in parameters alone", Delivery(b"", 0x04, tlvs={0x001E: b"m1\0", 0x0427: b"\x05"}), (
        "m1", "undelivered", "unreachable")),
    Reported("whose parameters disagree with its text", receipt("UNDELIV", "m9", tlvs={
        0x001E: b"m1\0", 0x0427: b"\x02"}), ("m1", "delivered", None)),
    Reported("with a network's error", receipt("UNDELIV", tlvs={0x0423: b"\x03\x00\x01"}), (
        "m1", "undelivered", "unreachable")),
    Reported("in message_payload", Delivery(b"", 0x04, tlvs={0x0424: receipt("DELIVRD").short_message}), (
        "m1", "delivered", None)),
    Reported("of an interim state", Delivery(b"id:m1 stat:ACCEPTD err:000", 0x20), ("m1", "sent", None)),
)  # fmt: skip


@dataclass(frozen=True)
class Typed:
    """A text that a phone sends, and how it reads."""

    name: str
    delivery: Delivery
    body: str
    encoding: str = "gsm7"
    part: tuple[int, int, int] | None = None
    settings: dict[str, Any] = field(default_factory=dict)


PORTS = bytes((5, 4, 0x0B, 0x84, 0, 0))
"""An information element of application ports (3GPP TS 23.040 section 9.2.3.24.4)."""

TYPED = (
    Typed("Cyrillic", Delivery("Привет".encode("iso8859-5"), 0, 6), "Привет", "cyrillic"),
    Typed("Hebrew", Delivery("שלום".encode("iso8859-8"), 0, 7), "שלום", "hebrew"),
    Typed("Japanese", Delivery("日本".encode("shift_jis"), 0, 5), "日本", "japanese"),
    Typed("Korean", Delivery("안녕".encode("euc_kr"), 0, 14), "안녕", "korean"),
    Typed("a flash of GSM", Delivery(b"Hi \x00", 0, 0xF0), "Hi @"),
    Typed("data for the SIM", Delivery(b"\xde\xad", 0, 0xF6), "de ad", "binary"),
    Typed("a voice mail waits", Delivery("почта".encode("utf-16-be"), 0, 0xE0), "почта", "ucs2"),
    Typed("an 8-bit header", Delivery(udh_8(2, 3, 77) + b"a part", UDHI), "a part", part=(77, 2, 3)),
    Typed("a 16-bit header", Delivery(udh_16(2, 3) + b"a part", UDHI), "a part", part=(0x1234, 2, 3)),
    Typed("a header with ports", Delivery(bytes((11, *PORTS, 0, 3, 77, 3, 2)) + b"a part", UDHI), "a part",
          part=(77, 2, 3)),
    Typed("SAR parameters", Delivery(b"a part", tlvs=sar(2, 3)), "a part", part=(0x1234, 2, 3)),
    Typed("a reply path", Delivery(b"Hello", 0x80), "Hello"),
    Typed("a vendor's parameter", Delivery(b"Hello", tlvs={0x1400: b"abc"}), "Hello"),
    Typed("Latin-1 as the carrier's own", Delivery("Grüße".encode("latin-1")), "Grüße", "latin1", settings={
        "default_alphabet": "latin1"}),
    Typed("packed septets", Delivery(bytes.fromhex("e8329bfd4697d9ec37")), "hellohello", settings={
        "gsm7_packed": True}),
    Typed("nothing at all", Delivery(b""), ""),
)  # fmt: skip
