"""Delivery receipts (SMPP 3.4 sections 5.2.12, 5.3.2.12, 5.3.2.35 and appendix B), in every spelling met so far."""

import re
from collections.abc import Mapping
from functools import lru_cache

from smsdesk.carriers.contract import Receipt
from smsdesk.carriers.smpp.config import Config, IdForm
from smsdesk.carriers.smpp.pdu import Tag

_STEMS: dict[str, tuple[str, str, str | None]] = {
    "SCHED": ("SCHEDLD", "sent", None),
    "ENROUT": ("ENROUTE", "sent", None),
    "BUFF": ("BUFFRED", "sent", None),
    "ACCEPT": ("ACCEPTD", "sent", None),
    "DELIV": ("DELIVRD", "delivered", None),
    "EXPIR": ("EXPIRED", "expired", "unreachable"),
    "UNDEL": ("UNDELIV", "undelivered", "unreachable"),
    "DELET": ("DELETED", "failed", "unknown_error"),
    "REJECT": ("REJECTD", "failed", "blocked"),
    "UNKN": ("UNKNOWN", "undelivered", "unknown_error"),
    "FAIL": ("FAILED", "undelivered", "unknown_error"),
    "SYSERR": ("SYSERR", "failed", "carrier_error"),
    "NOCRED": ("NOCRED", "failed", "carrier_error"),
}
"""How a `stat` begins, whole or cut short, to its one spelling, our state and our reason. Those of appendix B, and what
vendors add: BUFFRED, FAILED, SYSERR, NOCRED."""
_NUMBERS = ("SCHED", "ENROUT", "DELIV", "EXPIR", "DELET", "UNDEL", "ACCEPT", "UNKN", "REJECT")
"""message_state (section 5.2.28; 0 is of SMPP 5.0) as the beginning of its word."""

_FIELD = re.compile(r"\b(id|stat|err):(?:(\S+)|\s+([^\s:]+)(?=\s|$))", re.IGNORECASE)
_TEXT = re.compile(r"\btext:", re.IGNORECASE)
_as_in_the_standard = re.compile(
    r"id:([^\s:]+) sub:\d* dlvrd:\d* submit date:\d* done date:\d* stat:([^\s:]+) err:([^\s:]+)(?: text:|$)",
    re.IGNORECASE,
).match
"""The form of appendix B, by one look: no value can hold the name of another field. Nearly all receipts have it."""
_SMSC_RECEIPT, _INTERMEDIATE = 0x04, 0x20
MESSAGE_TYPE = 0x3C
"""Bits 5 to 2 of esm_class (section 5.2.12)."""


def normalise_id(message_id: str, form: IdForm) -> str:
    """Makes the ids of one carrier comparable: hexadecimal or decimal digits, padded or not, become a plain decimal
    number. What is no number of that form stays as it is."""
    base = {"hex": 16, "decimal": 10}.get(form)
    plain = message_id.strip()
    if base is None or not re.fullmatch(r"[0-9A-Fa-f]+" if base == 16 else r"[0-9]+", plain):
        return plain
    return str(int(plain, base))


def is_receipt(esm_class: int, tlvs: Mapping[int, bytes]) -> bool:
    """Says whether a deliver_sm reports on a text of ours: by esm_class (SMSC receipt or intermediate notification), or
    by the two optional parameters that only reports have."""
    kind = esm_class & MESSAGE_TYPE
    return kind in (_SMSC_RECEIPT, _INTERMEDIATE) or (Tag.RECEIPTED_MESSAGE_ID in tlvs and Tag.MESSAGE_STATE in tlvs)


@lru_cache(maxsize=1024)
def read_state(word: str, number: int | None) -> tuple[str, str, str | None]:
    """Reads a message_state, or where there is none the word of a text, which may be that number too: gives its one
    spelling, our state, and our reason where that is a failure. What nobody knows is given as it is, as `sent`: the
    carrier has the text still."""
    if number is None and word.isdecimal() and word.isascii():
        number = int(word)
    if number is not None:
        if number >= len(_NUMBERS):
            return str(number), "sent", None
        return _STEMS[_NUMBERS[number]]
    upper = word.upper()
    found = next((meaning for stem, meaning in _STEMS.items() if upper.startswith(stem)), None)
    return found or (word or "none", "sent", None)


def read_receipt(text: str, tlvs: Mapping[int, bytes], config: Config, number: str | None = None) -> Receipt | None:
    """Reads a report on a text to `number` from its optional parameters and, where those are silent, from its text
    `id:... stat:... err:...` in any case and order; the dates are not read. None where it names no message."""
    name, stat, err = _read_fields(text)
    named = read_name(tlvs) or name
    if not named:
        return None
    octets = tlvs.get(Tag.MESSAGE_STATE)
    word, state, reason = read_state(stat, int.from_bytes(octets) if octets else None)
    error = err or tlvs.get(Tag.NETWORK_ERROR_CODE, b"").hex()
    if reason and error:
        reason = _own_reason(error, config.receipt_errors) or reason
    code = f"stat:{word} err:{error}" if error else f"stat:{word}"
    part_id, whole = normalise_id(named, config.receipt_id), config.long_texts == "payload"
    return Receipt(part_id, state, reason, code, number, read_reference(tlvs), whole)


def _read_fields(text: str) -> tuple[str, str, str]:
    """The id, stat and err of a receipt's text; empty for each that is not there."""
    if usual := _as_in_the_standard(text):
        name, stat, err = usual.groups()
        return name, stat, err
    head = _TEXT.split(text, maxsplit=1)[0]  # what follows is the start of the message, which may say `id:` itself
    fields = {name.lower(): close or apart for name, close, apart in reversed(_FIELD.findall(head))}
    return fields.get("id", ""), fields.get("stat", ""), fields.get("err", "")


def read_name(tlvs: Mapping[int, bytes]) -> str:
    """The receipted_message_id; empty where there is none."""
    return tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")


def read_reference(tlvs: Mapping[int, bytes]) -> int | None:
    """The user_message_reference that a text of ours went with; None where there is none."""
    octets = tlvs.get(Tag.USER_MESSAGE_REFERENCE)
    return int.from_bytes(octets) if octets and len(octets) == 2 else None


def _own_reason(error: str, reasons: Mapping[str, str]) -> str | None:
    return next((reason for code, reason in reasons.items() if _plain(code) == _plain(error)), None)


def _plain(error: str) -> str:
    return error.lower().removeprefix("0x").lstrip("0")
