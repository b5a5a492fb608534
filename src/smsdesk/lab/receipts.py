"""Delivery receipts as a carrier writes them: SMPP 3.4 Appendix B, with the optional parameters of section 5.3.2."""

from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from smsdesk.carriers.smpp.pdu import DeliverSm, SubmitSm, Tag
from smsdesk.domain.gsm import decode
from smsdesk.lab.dialect import Dialect
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
_DELIVERY_RECEIPT, _INTERMEDIATE = 0x04, 0x20
"""esm_class (section 5.2.12)."""
_RECEIPT_ALWAYS, _RECEIPT_OF_FAILURE, _NOTIFICATION = 0x01, 0x02, 0x10
"""registered_delivery (section 5.2.17)."""
_NETWORK_GSM = b"\x03"
_SECONDS = {"minutes": 60, "seconds": 1}
_DATES = {60: "%y%m%d%H%M", 1: "%y%m%d%H%M%S"}


class Fate(Struct, frozen=True, gc=False):
    """What a receipt reports; times are seconds since 1970."""

    message_id: str
    stat: Stat | None
    """None: it is still on its way, and this is an intermediate notification."""
    err: str
    submitted_at: float
    done_at: float


def wanted(registered_delivery: int, stat: Stat) -> bool:
    """Whether the ESME asked for a receipt of this outcome (SMPP 3.4 section 5.2.17, bits 1 and 0)."""
    asked = registered_delivery & 0x03
    return asked == _RECEIPT_ALWAYS or (asked == _RECEIPT_OF_FAILURE and stat != "DELIVRD")


def notification_wanted(registered_delivery: int, unasked: bool) -> bool:
    """Whether an intermediate notification goes out: the ESME asked for it (bit 4), or it asked for receipts and the
    SMSC sends them `unasked`."""
    return bool(registered_delivery & _NOTIFICATION) or (unasked and bool(registered_delivery & 0x03))


@lru_cache(maxsize=64)
def _date(ticks: int, seconds: int) -> str:
    return datetime.fromtimestamp(ticks * seconds, UTC).strftime(_DATES[seconds])


def receipt(submit: SubmitSm, part: Part, fate: Fate, dialect: Dialect) -> DeliverSm:
    """The deliver_sm that reports `fate`. The ESME's user_message_reference comes back with it where it gave one."""
    return DeliverSm(
        source_addr_ton=submit.dest_addr_ton,
        source_addr_npi=submit.dest_addr_npi,
        source_addr=submit.destination_addr,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        destination_addr=submit.source_addr,
        esm_class=_DELIVERY_RECEIPT if fate.stat else _INTERMEDIATE,
        short_message=b"" if dialect.receipt_as == "tlv" else _words(part, fate, dialect),
        tlvs={} if dialect.receipt_as == "text" else _parameters(submit, fate),
    )


def _words(part: Part, fate: Fate, dialect: Dialect) -> bytes:
    # Receipts are in the default alphabet, as the octets of a text with data_coding 0 are.
    begin = part.octets[:20]
    if part.data_coding:
        begin = decode(part.octets[:40], part.data_coding)[0][:20].encode("ascii", "replace")
    tick = _SECONDS[dialect.dates]
    return (
        f"id:{fate.message_id} sub:001 dlvrd:00{int(fate.stat == 'DELIVRD')} "
        f"submit date:{_date(int(fate.submitted_at // tick), tick)} done date:{_date(int(fate.done_at // tick), tick)} "
        f"stat:{fate.stat or 'ENROUTE'} err:{fate.err} {dialect.text_word}:"
    ).encode() + begin


def _parameters(submit: SubmitSm, fate: Fate) -> dict[int, bytes]:
    state = MESSAGE_STATES[fate.stat] if fate.stat else ENROUTE
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: fate.message_id.encode() + b"\0",
        Tag.MESSAGE_STATE: bytes((state,)),
    }
    if fate.stat not in (None, "DELIVRD"):
        tlvs[Tag.NETWORK_ERROR_CODE] = _NETWORK_GSM + int(fate.err, 16).to_bytes(2)
    if Tag.USER_MESSAGE_REFERENCE in submit.tlvs:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = submit.tlvs[Tag.USER_MESSAGE_REFERENCE]
    return tlvs
