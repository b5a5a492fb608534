"""What a submit_sm carries: addresses as people write them, user data headers, octets to characters. Pure."""

import re
from math import ceil

from msgspec import Struct

from smsdesk.carriers.smpp.addressing import read_address
from smsdesk.carriers.smpp.pdu import DataSm, SubmitSm, Tag
from smsdesk.domain.gsm import decode, encoding_of, unpack
from smsdesk.lab.dialect import Alphabet, Dialect

_UDH_INDICATOR = 0x40
_REFERENCE_8, _REFERENCE_16 = 0x00, 0x08
_PUNCTUATION = re.compile(r"[\s().-]")
_SINGLE, _HEADED = {True: 160, False: 140}, {True: 153, False: 134}
"""What a segment holds alone and as one of several: septets in the GSM alphabet, else octets (3GPP TS 23.038)."""


class Part(Struct, frozen=True, gc=False):
    """What one submit_sm brought. A text of one part has the reference 0, the number 1 and the total 1."""

    source: str
    destination: str
    octets: bytes
    """Without the user data header, septets unpacked."""
    data_coding: int
    system_id: str
    reference: int = 0
    number: int = 1
    total: int = 1
    alphabet: Alphabet = "gsm7"
    """What data_coding 0 means."""

    @property
    def segments(self) -> int:
        """How many short messages it is on the air; over 1 for a long message_payload."""
        is_gsm = encoding_of(self.data_coding, self.alphabet) == "gsm7"
        return 1 if len(self.octets) <= _SINGLE[is_gsm] else ceil(len(self.octets) / _HEADED[is_gsm])


def e164(number: str) -> str:
    """A number typed by a person, as the handsets are called; what is no number stays as it is."""
    bare = _PUNCTUATION.sub("", number)
    return read_address(0, bare) if bare.lstrip("+").isdigit() else number


def as_submit(data: DataSm) -> SubmitSm:
    """A data_sm from an ESME (SMPP 3.4 section 4.7.1) as the submit_sm that says the same."""
    return SubmitSm(
        sequence_number=data.sequence_number,
        service_type=data.service_type,
        source_addr_ton=data.source_addr_ton,
        source_addr_npi=data.source_addr_npi,
        source_addr=data.source_addr,
        dest_addr_ton=data.dest_addr_ton,
        dest_addr_npi=data.dest_addr_npi,
        destination_addr=data.destination_addr,
        esm_class=data.esm_class,
        registered_delivery=data.registered_delivery,
        data_coding=data.data_coding,
        tlvs=data.tlvs,
    )


def read_part(submit: SubmitSm, system_id: str, dialect: Dialect) -> Part:
    """Reads the text or the part in a submit_sm: from short_message or message_payload, joined by a user data header
    with an 8- or 16-bit reference or by the sar_* parameters. ValueError where its parts make no sense."""
    octets = submit.short_message or submit.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    place, header = (0, 1, 1), 0
    if submit.esm_class & _UDH_INDICATOR:
        place, header = _read_header(octets)
    elif Tag.SAR_MSG_REF_NUM in submit.tlvs:
        place = _read_sar(submit.tlvs)
    octets = octets[header:]
    if dialect.packed and encoding_of(submit.data_coding, dialect.alphabet) == "gsm7":
        octets = unpack(octets, header)
    source = read_address(submit.source_addr_ton, submit.source_addr)
    destination = read_address(submit.dest_addr_ton, submit.destination_addr)
    return Part(source, destination, octets, submit.data_coding, system_id, *_checked(place), dialect.alphabet)


def _checked(place: tuple[int, int, int]) -> tuple[int, int, int]:
    reference, number, total = place
    if not 1 <= number <= total:
        raise ValueError(f"part {number} of {total}")
    return (0, 1, 1) if total == 1 else (reference, number, total)


def _read_header(octets: bytes) -> tuple[tuple[int, int, int], int]:
    """Walks the information elements (3GPP TS 23.040 section 9.2.3.24); the place and how long the header is."""
    if not octets or len(octets) <= octets[0]:
        raise ValueError("the user data header is longer than the message")
    end, at, place = 1 + octets[0], 1, (0, 1, 1)
    while at + 2 <= end:
        element, value = octets[at], octets[at + 2 : at + 2 + octets[at + 1]]
        if element == _REFERENCE_8 and len(value) == 3:
            place = (value[0], value[2], value[1])
        elif element == _REFERENCE_16 and len(value) == 4:
            place = (int.from_bytes(value[:2]), value[3], value[2])
        at += 2 + octets[at + 1]
    return place, end


def _read_sar(tlvs: dict[int, bytes]) -> tuple[int, int, int]:
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_SEGMENT_SEQNUM, Tag.SAR_TOTAL_SEGMENTS)
    reference, number, total = (int.from_bytes(tlvs.get(tag, b"")) for tag in tags)
    return reference, number, total


def decode_parts(parts: tuple[Part, ...]) -> tuple[str, str]:
    """The body and encoding of a whole text. Octets are joined before they are read, so that a sender that cut inside
    a character is understood as a phone understands it."""
    first = parts[0]
    if len(parts) == 1 or len({part.data_coding for part in parts}) == 1:
        return decode(b"".join([part.octets for part in parts]), first.data_coding, first.alphabet)
    read = [decode(part.octets, part.data_coding, part.alphabet) for part in parts]
    return "".join(body for body, _ in read), read[0][1]
