"""What a deliver_sm or data_sm from the network says (SMPP 3.4 sections 4.6.1 and 4.7.1)."""

from dataclasses import replace

from smsdesk.carriers.contract import Receipt, Reply
from smsdesk.carriers.smpp.addressing import read_address
from smsdesk.carriers.smpp.config import IdForm
from smsdesk.carriers.smpp.pdu import DataSm, DeliverSm, Tag
from smsdesk.carriers.smpp.receipts import is_receipt, read_receipt
from smsdesk.domain.gsm import decode

_UDHI = 0x40
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08
"""Information elements of the user data header (3GPP TS 23.040 sections 9.2.3.24.1 and 9.2.3.24.8)."""

Part = tuple[int, int, int]


def read_inbound(pdu: DeliverSm | DataSm, session: str, form: IdForm) -> Receipt | Reply | None:
    """Reads a report on a text of ours or a text from a phone. None for a report that names no message or state."""
    octets = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if isinstance(pdu, DeliverSm) and pdu.short_message:
        octets = pdu.short_message
    if is_receipt(pdu.esm_class, pdu.tlvs):
        receipt = read_receipt(octets.decode("latin-1"), pdu.tlvs, form)
        return replace(receipt, number=_phone(pdu), reference=_reference(pdu.tlvs)) if receipt else None
    part = _sar_part(pdu.tlvs)
    if pdu.esm_class & _UDHI:
        header_part, octets = _split_header(octets)
        part = header_part or part
    body, encoding = decode(octets, pdu.data_coding)
    reference = pdu.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")
    return Reply(
        source=read_address(pdu.source_addr_ton, pdu.source_addr),
        destination=read_address(pdu.dest_addr_ton, pdu.destination_addr),
        body=body,
        carrier_reference=reference or None,
        session=session,
        part=part,
        encoding=encoding,
        payload=octets,
    )


def _phone(pdu: DeliverSm | DataSm) -> str | None:
    """A receipt comes from the phone that the text went to (SMPP 3.4 appendix B)."""
    return read_address(pdu.source_addr_ton, pdu.source_addr) or None


def _reference(tlvs: dict[int, bytes]) -> int | None:
    octets = tlvs.get(Tag.USER_MESSAGE_REFERENCE)
    return int.from_bytes(octets) if octets and len(octets) == 2 else None


def _split_header(octets: bytes) -> tuple[Part | None, bytes]:
    """Takes the user data header off. One that is longer than the text is none: then all octets are the text."""
    end = 1 + octets[0] if octets else 0
    if not octets or end > len(octets):
        return None, octets
    header, part, at = octets[1:end], None, 0
    while at + 2 <= len(header):
        element, value = header[at], header[at + 2 : at + 2 + header[at + 1]]
        at += 2 + header[at + 1]
        if element == _CONCATENATED_8 and len(value) == 3:
            part = _legal(value[0], value[2], value[1])
        elif element == _CONCATENATED_16 and len(value) == 4:
            part = _legal(int.from_bytes(value[:2]), value[3], value[2])
    return part, octets[end:]


def _sar_part(tlvs: dict[int, bytes]) -> Part | None:
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_SEGMENT_SEQNUM, Tag.SAR_TOTAL_SEGMENTS)
    if not all(tag in tlvs for tag in tags):
        return None
    reference, number, total = (int.from_bytes(tlvs[tag]) for tag in tags)
    return _legal(reference, number, total)


def _legal(reference: int, number: int, total: int) -> Part | None:
    """A part outside its text is a whole text (3GPP TS 23.040 section 9.2.3.24.1), and so is the only one."""
    return (reference, number, total) if 1 <= number <= total and 1 < total <= 255 else None
