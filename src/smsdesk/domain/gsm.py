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

_CODECS = {
    "ascii": "ascii",
    "latin1": "latin-1",
    "cyrillic": "iso8859-5",
    "hebrew": "iso8859-8",
    "ucs2": "utf-16-be",
    "japanese": "shift_jis",
    "pictogram": "cp932",
    "iso2022jp": "iso2022_jp",
    "kanji": "iso2022_jp_1",
    "korean": "euc_kr",
}
"""Name of an encoding to Python's codec for it. Pictograms lie in the private area of their Shift JIS."""
_CODINGS = {
    1: "ascii",
    3: "latin1",
    5: "japanese",
    6: "cyrillic",
    7: "hebrew",
    8: "ucs2",
    9: "pictogram",
    10: "iso2022jp",
    13: "kanji",
    14: "korean",
}
"""data_coding of SMPP 3.4 section 5.2.19; 2 and 4 are binary, 0 is each carrier's own."""


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


def pack(septets: bytes, header_octets: int = 0) -> bytes:
    """Packs septets, eight into seven octets (3GPP TS 23.038 section 6.1.2.1), behind fill bits that let the first one
    begin at a septet of the whole, user data header included (23.040 section 9.2.3.24). Seven bits that are left over
    become a carriage return, for a reader that only knows the octets would see a septet there."""
    fill = -8 * header_octets % 7
    if (fill + 7 * len(septets)) % 8 == 1:
        septets += b"\r"
    number = sum(septet << 7 * place for place, septet in enumerate(septets)) << fill
    return number.to_bytes((fill + 7 * len(septets) + 7) // 8, "little")


def unpack(octets: bytes, header_octets: int = 0) -> bytes:
    """Takes packed septets apart. A last septet that may be nothing but what was left over is dropped."""
    fill = -8 * header_octets % 7
    number = int.from_bytes(octets, "little") >> fill
    count = max(8 * len(octets) - fill, 0) // 7
    septets = bytes([number >> 7 * place & 0x7F for place in range(count)])
    full = septets and (fill + 7 * count) % 8 == 0
    return septets[:-1] if full and chr(septets[-1]) in "\0\r" else septets


def encoding_of(data_coding: int, default: str = "gsm7") -> str | None:
    """Names what a data_coding stands for: a character set of SMPP 3.4 section 5.2.19, or the alphabet of a GSM coding
    group (3GPP TS 23.038 section 4). `default` is the carrier's own for 0. None for what is no text or not known."""
    if data_coding < 0x10:
        return _CODINGS.get(data_coding) if data_coding else default
    group = data_coding >> 4
    if group < 0x8:  # general: bits 3 and 2 name the alphabet; bit 5 tells of compression, which nobody uses
        return None if data_coding & 0x20 else {0: "gsm7", 2: "ucs2"}.get(data_coding >> 2 & 3)
    if group == 0xF:  # message class: bit 2 is set for 8-bit data
        return None if data_coding & 4 else "gsm7"
    return {0xC: "gsm7", 0xD: "gsm7", 0xE: "ucs2"}.get(group)  # message waiting


def decode(payload: bytes, data_coding: int, default: str = "gsm7") -> tuple[str, str]:
    """Reads what a phone sent, whatever it is, and names its encoding; `default` is what 0 means at the carrier.

    Octets without a character become U+FFFD. What is no text is shown as its octets in hexadecimal, named `binary`, so
    that a person sees that something came.
    """
    encoding = encoding_of(data_coding, default)
    if encoding is None:
        return payload.hex(" "), "binary"
    if encoding == "gsm7":
        return from_septets(payload), encoding
    return payload.decode(_CODECS[encoding], "replace"), encoding
