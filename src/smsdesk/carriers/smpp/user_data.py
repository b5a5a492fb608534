"""What a submit_sm carries beside its addresses, and how the parts of a long text are told (SMPP 3.4 sections 5.2.12
and 5.3.2, 3GPP TS 23.040 section 9.2.3.24)."""

from collections.abc import Mapping

from msgspec import Struct

from smsdesk.carriers.contract import OutboundText
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.pdu import Tag
from smsdesk.domain.gsm import pack, to_septets
from smsdesk.domain.segments import Segments, segment

UDHI = 0x40
"""esm_class of a text that begins with a user data header."""
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08
"""Information elements (sections 9.2.3.24.1 and 9.2.3.24.8)."""
_PYTHON = {"latin1": "latin-1", "ascii": "ascii"}
_UNITS = {0: 70, 8: 67, 16: 66}
"""UTF-16 units that a part holds, by the bits of the reference in its header."""

Part = tuple[int, int, int]
"""(reference, number from 1, parts in all)."""


class TooLong(ValueError):
    """The text does not fit into the parts that it was cut into; it says why."""


class UserData(Struct, frozen=True, gc=False):
    """The fields of one submit_sm that its text decides."""

    esm_class: int
    data_coding: int
    short_message: bytes
    tlvs: dict[int, bytes]


def write_user_data(text: OutboundText, config: Config) -> list[UserData]:
    """Writes the text for this carrier: a submit_sm for each part, or one with a message_payload for all. TooLong where
    the carrier's alphabet lacks a character, and the text has no room in UCS-2."""
    parts, bits = _cut(text.segments, config)
    encoding = text.segments.encoding
    if encoding == "gsm7" and config.default_alphabet != "gsm":
        encoding = _own_alphabet(text.segments, parts, bits, config.default_alphabet)
    coding = config.ucs2_data_coding if encoding == "ucs2" else config.data_coding
    reference = text.text_id & 0xFFFF
    own = {int(Tag.USER_MESSAGE_REFERENCE): reference.to_bytes(2)} if config.user_message_reference else {}
    total, written = len(parts), []
    for number, part in enumerate(parts, 1):
        header, tlvs = b"", own
        if total > 1 and config.long_texts == "sar":
            tlvs = own | _sar(reference, number, total)
        elif total > 1:
            header = _header(reference, number, total, bits)
        octets = header + _encode(part, encoding, config, len(header))
        if config.long_texts == "payload" and len(text.segments.parts) > 1:
            octets, tlvs = b"", {**own, Tag.MESSAGE_PAYLOAD: octets}
        written.append(UserData(UDHI if header else 0, coding, octets, tlvs))
    return written


def _cut(segments: Segments, config: Config) -> tuple[tuple[str, ...], int]:
    """The parts as they go, and the bits of their reference. A wide reference leaves a part one septet or unit less:
    where that would make a part more, which nobody reckoned with, the narrow one does."""
    parts = segments.parts
    if len(parts) == 1:
        return parts, 0
    if config.long_texts == "payload":
        return ("".join(parts),), 8
    if config.long_texts != "udh8":
        wide = segment("".join(parts), 16).parts
        if len(wide) == len(parts):
            return wide, 16
    return parts, 8


def _own_alphabet(segments: Segments, parts: tuple[str, ...], bits: int, alphabet: str) -> str:
    try:
        "".join(parts).encode(_PYTHON[alphabet])
    except UnicodeEncodeError as error:
        room = _UNITS[bits] * len(segments.parts) // len(parts)
        if any(len(part.encode("utf-16-be")) > 2 * room for part in parts):
            lacking = f"U+{ord(error.object[error.start]):04X}"
            raise TooLong(f"{alphabet} lacks {lacking}, and in UCS-2 the text would have more parts") from None
        return "ucs2"
    return alphabet


def _encode(part: str, encoding: str, config: Config, header_octets: int) -> bytes:
    if encoding == "ucs2":
        return part.encode("utf-16-be")
    if encoding != "gsm7":
        return part.encode(_PYTHON[encoding])
    septets = to_septets(part)
    return pack(septets, header_octets) if config.gsm7_packed else septets


def _header(reference: int, number: int, total: int, bits: int) -> bytes:
    if bits == 8:
        return bytes((5, _CONCATENATED_8, 3, reference & 0xFF, total, number))
    return bytes((6, _CONCATENATED_16, 4, reference >> 8, reference & 0xFF, total, number))


def _sar(reference: int, number: int, total: int) -> dict[int, bytes]:
    return {
        Tag.SAR_MSG_REF_NUM: reference.to_bytes(2),
        Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
        Tag.SAR_SEGMENT_SEQNUM: bytes((number,)),
    }


def split_header(octets: bytes) -> tuple[Part | None, bytes, int]:
    """Takes the user data header off: gives the part that it tells, the rest, and its own octets. One that is longer
    than the text is none: then all octets are the text."""
    end = 1 + octets[0] if octets else 0
    if not octets or end > len(octets):
        return None, octets, 0
    header, part, at = octets[1:end], None, 0
    while at + 2 <= len(header):
        element, value = header[at], header[at + 2 : at + 2 + header[at + 1]]
        at += 2 + header[at + 1]
        if element == _CONCATENATED_8 and len(value) == 3:
            part = _legal(value[0], value[2], value[1])
        elif element == _CONCATENATED_16 and len(value) == 4:
            part = _legal(int.from_bytes(value[:2]), value[3], value[2])
    return part, octets[end:], end


def sar_part(tlvs: Mapping[int, bytes]) -> Part | None:
    """The part that the sar_* parameters tell; None unless all three are there."""
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_SEGMENT_SEQNUM, Tag.SAR_TOTAL_SEGMENTS)
    if not all(tag in tlvs for tag in tags):
        return None
    reference, number, total = (int.from_bytes(tlvs[tag]) for tag in tags)
    return _legal(reference, number, total)


def _legal(reference: int, number: int, total: int) -> Part | None:
    """A part outside its text is a whole text (3GPP TS 23.040 section 9.2.3.24.1), and so is the only one."""
    return (reference, number, total) if 1 <= number <= total and 1 < total <= 255 else None
