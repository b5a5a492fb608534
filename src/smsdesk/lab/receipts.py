"""Delivery receipts as a carrier writes them: SMPP 3.4 Appendix B, with the optional parameters of section 5.3.2."""

from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from smsdesk.carriers.smpp.pdu import DeliverSm, SubmitSm, Tag
from smsdesk.domain.gsm import decode
from smsdesk.lab.faults import Stat
from smsdesk.lab.reading import Part

ENROUTE = 1
MESSAGE_STATES: dict[Stat, int] = {
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
"""SMPP 3.4 section 5.2.28."""
_DELIVERY_RECEIPT = 0x04
_NETWORK_GSM = b"\x03"


class Fate(Struct, frozen=True, gc=False):
    """What a receipt reports; times are seconds since 1970."""

    message_id: str
    stat: Stat
    err: str
    submitted_at: float
    done_at: float


def wanted(registered_delivery: int, stat: Stat) -> bool:
    """Whether the ESME asked for a receipt of this outcome (SMPP 3.4 section 5.2.17, bits 1 and 0)."""
    asked = registered_delivery & 0x03
    return asked == 1 or (asked == 2 and stat != "DELIVRD")


@lru_cache(maxsize=16)
def _minute(minutes: int) -> str:
    return datetime.fromtimestamp(minutes * 60, UTC).strftime("%y%m%d%H%M")


def receipt(submit: SubmitSm, part: Part, fate: Fate) -> DeliverSm:
    """The deliver_sm that reports `fate`. The ESME's user_message_reference comes back with it where it gave one."""
    delivered = fate.stat == "DELIVRD"
    # Receipts are in the default alphabet, as the octets of a text with data_coding 0 are.
    begin = part.octets[:20]
    if part.data_coding:
        begin = decode(part.octets[:40], part.data_coding)[0][:20].encode("ascii", "replace")
    words = (
        f"id:{fate.message_id} sub:001 dlvrd:00{int(delivered)} submit date:{_minute(int(fate.submitted_at // 60))} "
        f"done date:{_minute(int(fate.done_at // 60))} stat:{fate.stat} err:{fate.err} text:"
    )
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: fate.message_id.encode() + b"\0",
        Tag.MESSAGE_STATE: bytes((MESSAGE_STATES[fate.stat],)),
    }
    if not delivered:
        tlvs[Tag.NETWORK_ERROR_CODE] = _NETWORK_GSM + int(fate.err, 16).to_bytes(2, "big")
    if Tag.USER_MESSAGE_REFERENCE in submit.tlvs:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = submit.tlvs[Tag.USER_MESSAGE_REFERENCE]
    return DeliverSm(
        source_addr_ton=submit.dest_addr_ton,
        source_addr_npi=submit.dest_addr_npi,
        source_addr=submit.destination_addr,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        destination_addr=submit.source_addr,
        esm_class=_DELIVERY_RECEIPT,
        short_message=words.encode() + begin,
        tlvs=tlvs,
    )
