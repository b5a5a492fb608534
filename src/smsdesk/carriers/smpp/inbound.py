"""What a deliver_sm or data_sm from the network says (SMPP 3.4 sections 4.6.1 and 4.7.1)."""

from smsdesk.carriers.contract import Receipt, Reply
from smsdesk.carriers.smpp.addressing import read_address
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.pdu import DataSm, DeliverSm, Tag
from smsdesk.carriers.smpp.receipts import (
    MESSAGE_TYPE,
    is_receipt,
    normalise_id,
    read_name,
    read_receipt,
    read_reference,
)
from smsdesk.carriers.smpp.user_data import UDHI, sar_part, split_header
from smsdesk.domain.gsm import decode, encoding_of, from_septets, unpack

_ENCODINGS = {"gsm": "gsm7", "latin1": "latin1", "ascii": "ascii"}
_FROM_THE_PHONE = {0x08: "SME delivery acknowledgement", 0x10: "SME manual acknowledgement", 0x18: "abort"}
"""What a phone itself may answer to a text, in bits 5 to 2 of esm_class (section 5.2.12)."""
_ABORT = 0x18


def read_inbound(pdu: DeliverSm | DataSm, session: str, config: Config) -> Receipt | Reply | None:
    """Reads a report on a text of ours or a text from a phone. None for what reports and names no message."""
    octets = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if isinstance(pdu, DeliverSm) and pdu.short_message:
        octets = pdu.short_message
    kind = pdu.esm_class & MESSAGE_TYPE
    if is_receipt(pdu.esm_class, pdu.tlvs) or (kind in _FROM_THE_PHONE and b"stat:" in octets.lower()):
        return read_receipt(_receipt_text(pdu, octets, config), pdu.tlvs, config, _phone(pdu))
    if kind in _FROM_THE_PHONE and not octets:
        return _acknowledgement(pdu, kind, config)
    return _read_reply(pdu, octets, session, config)


def _receipt_text(pdu: DeliverSm | DataSm, octets: bytes, config: Config) -> str:
    """Receipts are written in ASCII, whatever the carrier's alphabet for texts is; by some in UCS-2, or packed."""
    if pdu.data_coding == config.ucs2_data_coding:
        return octets.decode("utf-16-be", "replace")
    if config.gsm7_packed and b"id:" not in octets.lower():
        return from_septets(unpack(octets))
    return octets.decode("latin-1")


def _read_reply(pdu: DeliverSm | DataSm, octets: bytes, session: str, config: Config) -> Reply:
    part, header_octets = sar_part(pdu.tlvs), 0
    if pdu.esm_class & UDHI:
        header_part, octets, header_octets = split_header(octets)
        part = header_part or part
    default = _ENCODINGS[config.default_alphabet]
    coding = 0 if pdu.data_coding == config.data_coding else pdu.data_coding
    if pdu.data_coding == config.ucs2_data_coding:
        coding = 8
    if config.gsm7_packed and encoding_of(coding, default) == "gsm7":
        octets = unpack(octets, header_octets)
    body, encoding = decode(octets, coding, default)
    return Reply(
        source=read_address(pdu.source_addr_ton, pdu.source_addr),
        destination=read_address(pdu.dest_addr_ton, pdu.destination_addr),
        body=body,
        carrier_reference=read_name(pdu.tlvs) or None,
        session=session,
        part=part,
        encoding=encoding,
        payload=octets,
    )


def _acknowledgement(pdu: DeliverSm | DataSm, kind: int, config: Config) -> Receipt | None:
    """A phone that answers without words has the text that it names, unless it gives up the conversation."""
    named = read_name(pdu.tlvs)
    if not named:
        return None
    state = "sent" if kind == _ABORT else "delivered"
    part_id = normalise_id(named, config.receipt_id)
    return Receipt(part_id, state, None, _FROM_THE_PHONE[kind], _phone(pdu), read_reference(pdu.tlvs))


def _phone(pdu: DeliverSm | DataSm) -> str | None:
    """A receipt comes from the phone that the text went to (SMPP 3.4 appendix B)."""
    return read_address(pdu.source_addr_ton, pdu.source_addr) or None
