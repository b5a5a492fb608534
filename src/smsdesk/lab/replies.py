"""What a handset sends: a typed text as the deliver_sm that carry it. Pure."""

from smsdesk.carriers.smpp.addressing import write_address
from smsdesk.carriers.smpp.pdu import DeliverSm, Tag
from smsdesk.domain.gsm import encode_part
from smsdesk.domain.segments import Segments

_UDH_INDICATOR = 0x40
_UCS2 = 8
_MOST_PARTS = 255


def deliver_parts(number: str, to: str, segments: Segments, reference: int, ids: tuple[str, ...]) -> list[DeliverSm]:
    """One deliver_sm for each part, joined by an 8-bit reference. Its receipted_message_id names the part, the same
    at each repetition. ValueError over 255 parts."""
    total = len(segments.parts)
    if total > _MOST_PARTS:
        raise ValueError(f"body has {total} parts, a text has at most {_MOST_PARTS}: shorten it")
    source, destination = write_address(number), write_address(to)
    return [
        DeliverSm(
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.digits,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.digits,
            esm_class=_UDH_INDICATOR if total > 1 else 0,
            data_coding=_UCS2 if segments.encoding == "ucs2" else 0,
            short_message=(bytes((5, 0, 3, reference & 0xFF, total, place)) if total > 1 else b"")
            + encode_part(part, segments.encoding),
            tlvs={Tag.RECEIPTED_MESSAGE_ID: message_id.encode() + b"\0"},
        )
        for place, (part, message_id) in enumerate(zip(segments.parts, ids, strict=True), 1)
    ]
