"""Delivery receipts (SMPP 3.4 sections 5.2.12, 5.3.2.12, 5.3.2.35 and appendix B), in every spelling met so far."""

import re
from collections.abc import Mapping

from smsdesk.carriers.contract import Receipt
from smsdesk.carriers.smpp.config import IdForm
from smsdesk.carriers.smpp.pdu import Tag

_STATES: dict[str, tuple[str, str | None]] = {
    "ENROUTE": ("sent", None),
    "ACCEPTD": ("sent", None),
    "DELIVRD": ("delivered", None),
    "EXPIRED": ("expired", "unreachable"),
    "UNDELIV": ("undelivered", "unreachable"),
    "DELETED": ("failed", "unknown_error"),
    "REJECTD": ("failed", "blocked"),
    "UNKNOWN": ("undelivered", "unknown_error"),
}
_WORDS = ("", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD")
"""message_state (section 5.2.28) as the word that the text has for it."""

_FIELD = re.compile(r"\b(id|stat|err):\s*([^\s:]+)(?=\s|$)", re.IGNORECASE)
_TEXT = re.compile(r"\btext:", re.IGNORECASE)


def normalise_id(message_id: str, form: IdForm) -> str:
    """Makes the ids of one carrier comparable: hexadecimal or decimal digits, padded or not, become a plain decimal
    number. What is no number of that form stays as it is."""
    base = {"hex": 16, "decimal": 10}.get(form)
    plain = message_id.strip()
    if base is None or not re.fullmatch(r"[0-9A-Fa-f]+" if base == 16 else r"[0-9]+", plain):
        return plain
    return str(int(plain, base))


def is_receipt(esm_class: int, tlvs: Mapping[int, bytes]) -> bool:
    """Says whether a deliver_sm reports on a text of ours: by esm_class (SMSC receipt or interim notification, section
    5.2.12), or by the two optional parameters that only reports have."""
    return esm_class & 0x3C in (0x04, 0x20) or (Tag.RECEIPTED_MESSAGE_ID in tlvs and Tag.MESSAGE_STATE in tlvs)


def read_receipt(text: str, tlvs: Mapping[int, bytes], form: IdForm) -> Receipt | None:
    """Reads a report from its optional parameters and, where those are silent, from its text `id:... stat:... err:...`
    in any case and order; the dates are not read. None where it names no message or no known state."""
    head = _TEXT.split(text, maxsplit=1)[0]  # what follows is the start of the message, which may say `id:` itself
    fields = {name.lower(): value for name, value in reversed(_FIELD.findall(head))}
    named = tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1") or fields.get("id", "")
    number = int.from_bytes(tlvs.get(Tag.MESSAGE_STATE, b""))
    word = _WORDS[number] if 0 < number < len(_WORDS) else fields.get("stat", "").upper()
    if not named or word not in _STATES:
        return None
    state, reason = _STATES[word]
    error = fields.get("err") or tlvs.get(Tag.NETWORK_ERROR_CODE, b"").hex()
    return Receipt(normalise_id(named, form), state, reason, f"stat:{word} err:{error}" if error else f"stat:{word}")
