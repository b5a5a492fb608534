"""The GSM 7-bit default alphabet (3GPP TS 23.038 section 6.2.1, once GSM 03.38) and the codings of texts on SMPP."""

import re

ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = dict(zip("\f^{}\\[~]|€", "\n\x14()/<=>@e", strict=True))
"""Character to the septet after the escape, as the Latin-1 character of that number (section 6.2.1.1)."""

# A bare escape is no character: on a phone it would change the one after it.
_SEPTETS = {character: chr(septet) for septet, character in enumerate(_BASIC) if septet != ESCAPE}
_TO_SEPTETS = str.maketrans(_SEPTETS | {character: f"\x1b{septet}" for character, septet in _EXTENSION.items()})
_FROM_SEPTETS = dict(enumerate(_BASIC.ljust(256, "\ufffd")))
_FROM_EXTENSION = {septet: character for character, septet in _EXTENSION.items()}

_all_gsm = re.compile(f"[{re.escape(''.join(_SEPTETS | _EXTENSION))}]*").fullmatch
_extended = re.compile(f"[{re.escape(''.join(_EXTENSION))}]").findall

_TEXT_CODINGS = {1: "ascii", 3: "latin-1", 6: "iso8859-5", 7: "iso8859-8", 8: "utf-16-be"}
_NAMES = {1: "ascii", 3: "latin1", 6: "cyrillic", 7: "hebrew", 8: "ucs2"}


def is_gsm(body: str) -> bool:
    """Says whether every character has a place in the alphabet or its extension; an escape has none."""
    return _all_gsm(body) is not None


def count_septets(body: str) -> int:
    """Counts the septets of a text for which `is_gsm` holds: two for a character of the extension."""
    return len(body) + len(_extended(body))


def to_septets(body: str) -> bytes:
    """Writes GSM text as unpacked septets, one in each octet. UnicodeEncodeError unless `is_gsm` holds."""
    return body.translate(_TO_SEPTETS).encode("ascii")


def from_septets(payload: bytes) -> str:
    """Reads unpacked septets, whatever they are: an octet over 127 becomes U+FFFD, an escape before a septet without
    an extension is left out (section 6.2.1.1, note 1)."""
    head, *escaped = payload.decode("latin-1").split("\x1b")
    body = head.translate(_FROM_SEPTETS)
    for piece in escaped:
        first, rest = piece[:1], piece[1:]
        body += _FROM_EXTENSION.get(first, first.translate(_FROM_SEPTETS)) + rest.translate(_FROM_SEPTETS)
    return body


def encode_part(part: str, encoding: str) -> bytes:
    """Writes a part of `Segments` for the wire: unpacked septets for `gsm7` (data_coding 0), UTF-16BE for `ucs2`
    (data_coding 8). UnicodeEncodeError where the part is not of that encoding."""
    return to_septets(part) if encoding == "gsm7" else part.encode("utf-16-be")


def decode(payload: bytes, data_coding: int) -> tuple[str, str]:
    """Reads what a phone sent, whatever it is, and names its encoding (SMPP 3.4 section 5.2.19).

    Octets without a character become U+FFFD. What is no text at all (binary, pictograms, the multi-byte sets) is shown
    as its octets in hexadecimal, named `binary`, so that a person sees that something came.
    """
    if data_coding == 0 or data_coding & 0xF4 == 0xF0:  # 0xF0-0xF3: the same alphabet with a message class
        return from_septets(payload), "gsm7"
    coding = _TEXT_CODINGS.get(data_coding)
    if coding is None:
        return payload.hex(" "), "binary"
    return payload.decode(coding, "replace"), _NAMES[data_coding]
