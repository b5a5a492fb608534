"""What a handset sends: a typed text as the deliver_sm that carry it. Pure."""

from collections.abc import Iterable
from typing import Literal

from smsdesk.carriers.smpp.addressing import write_address
from smsdesk.carriers.smpp.pdu import DeliverSm, Tag
from smsdesk.domain.gsm import is_gsm, pack, to_septets
from smsdesk.domain.segments import Segments, segment
from smsdesk.lab.dialect import Dialect, Parts
from smsdesk.lab.handsets import HandsetReply

Encoding = Literal["gsm7", "ascii", "latin1", "binary", "ucs2"]
"""How a reply is written; the body of a `binary` one is hexadecimal."""

_CODECS = {"ascii": "ascii", "latin1": "latin-1", "ucs2": "utf-16-be"}
_DATA_CODINGS = {"gsm7": 0, "ascii": 1, "latin1": 3, "binary": 4, "ucs2": 8}
_UDH_INDICATOR = 0x40
_MOST_PARTS = 255
_SINGLE_OCTETS, _HEADED_OCTETS = 140, 134
"""What a part holds alone and beside its user data header (3GPP TS 23.040 section 9.2.3.24.1)."""
_MESSAGE_REFERENCE = {"udh8": 0xFF, "udh16": 0xFFFF, "sar": 0xFFFF, "payload": 0}


def cut(body: str, encoding: Encoding | None) -> Segments:
    """The parts of a typed text, in the shortest encoding that has all its characters unless one is named. ValueError
    where it is not of that encoding or has over 255 parts."""
    if encoding is None or (encoding == "gsm7" and is_gsm(body)):
        segments = segment(body)
    elif encoding == "gsm7":
        raise ValueError("body has a character that GSM-7 lacks: choose another encoding")
    else:
        segments = _cut_octets(_octets(body, encoding), encoding)
    if len(segments.parts) > _MOST_PARTS:
        raise ValueError(f"body has {len(segments.parts)} parts, a text has at most {_MOST_PARTS}: shorten it")
    return segments


def _octets(part: str, encoding: str) -> bytes:
    if encoding == "gsm7":
        return to_septets(part)
    if encoding == "binary":
        return bytes.fromhex(part)
    return part.encode(_CODECS[encoding])


def _cut_octets(payload: bytes, encoding: Encoding) -> Segments:
    pieces, start = [], 0
    limit = _SINGLE_OCTETS if len(payload) <= _SINGLE_OCTETS else _HEADED_OCTETS
    while start < len(payload):
        end = start + limit
        if encoding == "ucs2" and end < len(payload) and payload[end - 2] & 0xFC == 0xD8:  # never inside a pair
            end -= 2
        piece = payload[start:end]
        pieces.append(piece.hex(" ") if encoding == "binary" else piece.decode(_CODECS[encoding]))
        start = end
    return Segments(encoding, tuple(pieces), len(payload) // (2 if encoding == "ucs2" else 1))


def deliver_parts(reply: HandsetReply, dialect: Dialect) -> Iterable[DeliverSm]:
    """The deliver_sm of a reply, in the order and as often as it leaves. The receipted_message_id names the part, the
    same at each repetition."""
    source, destination = write_address(reply.number), write_address(reply.to)
    for number in _whole(reply) if dialect.reply_parts == "payload" else reply.order * reply.copies:
        esm_class, header, tlvs = _joined(reply, number, dialect.reply_parts)
        octets = _written(reply, number, header, dialect)
        if not number:
            tlvs[Tag.MESSAGE_PAYLOAD] = octets
        tlvs[Tag.RECEIPTED_MESSAGE_ID] = reply.message_ids[max(number, 1) - 1].encode() + b"\0"
        yield DeliverSm(
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.digits,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.digits,
            esm_class=esm_class,
            data_coding=_DATA_CODINGS[reply.encoding],
            short_message=header + octets if number else b"",
            tlvs=tlvs,
        )


def _whole(reply: HandsetReply) -> tuple[int, ...]:
    """A reply in one message_payload counts as its part 0."""
    return (0,) * reply.copies


def _joined(reply: HandsetReply, number: int, parts: Parts) -> tuple[int, bytes, dict[int, bytes]]:
    """esm_class, user data header and optional parameters that make a part one of several."""
    total, reference = reply.parts, reply.index & _MESSAGE_REFERENCE[parts]
    if total == 1 or not number:
        return 0, b"", {}
    if parts == "sar":
        tlvs: dict[int, bytes] = {
            Tag.SAR_MSG_REF_NUM: reference.to_bytes(2),
            Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
            Tag.SAR_SEGMENT_SEQNUM: bytes((number,)),
        }
        return 0, b"", tlvs
    header = bytes((5, 0, 3)) if parts == "udh8" else bytes((6, 8, 4))
    octets = reference.to_bytes(1 if parts == "udh8" else 2)
    return _UDH_INDICATOR, header + octets + bytes((total, number)), {}


def _written(reply: HandsetReply, number: int, header: bytes, dialect: Dialect) -> bytes:
    parts = reply.segments.parts if not number else reply.segments.parts[number - 1 : number]
    octets = b"".join([_octets(part, reply.encoding) for part in parts])
    return pack(octets, len(header)) if dialect.packed and reply.encoding == "gsm7" else octets
