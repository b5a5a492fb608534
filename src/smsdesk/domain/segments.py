"""How a text is cut into the parts that go on the air (3GPP TS 23.038, 23.040), and what makes it costly."""

import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from smsdesk.domain.gsm import ESCAPE, count_septets, encode_part, from_septets, is_gsm

_SINGLE_SEPTETS, _SINGLE_UNITS = 160, 70
_HEADED_SEPTETS = {8: 153, 16: 152}
_HEADED_UNITS = {8: 67, 16: 66}
"""What a part holds beside its user data header, by the bits of the reference in it (23.040 section 9.2.3.24)."""


class Segments(NamedTuple):
    """A text as it goes on the air: its encoding and the characters of each part."""

    encoding: str  # "gsm7" or "ucs2"
    parts: tuple[str, ...]
    units: int  # septets or UTF-16 units in all, headers not counted


@dataclass(frozen=True, slots=True)
class CostlyCharacter:
    """A character that turns a whole text to UCS-2, which holds 70 units in a part instead of 160."""

    index: int
    character: str
    name: str
    swap: str | None
    """What says nearly the same in GSM-7; None where nothing does."""


def segment(body: str, reference_bits: int = 8) -> Segments:
    """Cuts a text into parts of 160 septets or 70 UTF-16 units, or with a header 153 or 67 (152 or 66 for a reference
    of 16 bits), and never inside an escape pair or a surrogate pair. A lone surrogate, which no phone can show, is
    replaced by U+FFFD; two that make a pair are joined."""
    if is_gsm(body):
        units = count_septets(body)
        if units <= _SINGLE_SEPTETS:
            return Segments("gsm7", (body,), units)
        return Segments("gsm7", _cut_septets(body, _HEADED_SEPTETS[reference_bits]), units)
    payload = body.encode("utf-16-be", "surrogatepass")
    units = len(payload) // 2
    if units <= _SINGLE_UNITS:
        return Segments("ucs2", (payload.decode("utf-16-be", "replace"),), units)
    return Segments("ucs2", _cut_units(payload, _HEADED_UNITS[reference_bits]), units)


def _cut_septets(body: str, limit: int) -> tuple[str, ...]:
    septets = encode_part(body, "gsm7")
    parts, start = [], 0
    while start < len(septets):
        end = start + limit
        if end < len(septets) and septets[end - 1] == ESCAPE:
            end -= 1
        parts.append(from_septets(septets[start:end]))
        start = end
    return tuple(parts)


def _cut_units(payload: bytes, limit: int) -> tuple[str, ...]:
    parts, start = [], 0
    while start < len(payload):
        end = start + 2 * limit
        if end < len(payload) and payload[end - 2] & 0xFC == 0xD8:  # a high surrogate would be the last unit
            end -= 2
        parts.append(payload[start:end].decode("utf-16-be", "replace"))
        start = end
    return tuple(parts)


_SWAPS = {
    "\t": " ",
    "`": "'",
    "´": "'",
    "«": '"',
    "»": '"',
    "‘": "'",
    "’": "'",
    "‚": ",",
    "‛": "'",
    "′": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "‟": '"',
    "″": '"',
    "‹": "<",
    "›": ">",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "–": "-",
    "—": "-",
    "―": "-",
    "−": "-",
    "\u00ad": "",
    "\u200b": "",
    "\u200c": "",
    "\u200d": "",
    "\u2060": "",
    "\ufeff": "",
    "\u2028": "\n",
    "\u2029": "\n",
    "•": "*",
    "·": "*",
    "×": "x",
    "÷": "/",
    "⁄": "/",
    "©": "(c)",
    "®": "(r)",
    "ç": "c",
    "œ": "oe",
    "Œ": "OE",
}
"""Beside the characters that Unicode itself takes apart (NFKD): accents, ligatures, ellipsis, the other spaces."""


def costly_characters(body: str) -> list[CostlyCharacter]:
    """Lists each character that forces UCS-2, with its place in `body` and its swap; empty for a GSM-7 text."""
    return [
        CostlyCharacter(index, character, unicodedata.name(character, f"U+{ord(character):04X}"), _swap(character))
        for index, character in enumerate(body)
        if not is_gsm(character)
    ]


def _swap(character: str) -> str | None:
    if character in _SWAPS:
        return _SWAPS[character]
    apart = unicodedata.normalize("NFKD", character)
    plain = "".join(_SWAPS.get(piece, piece) for piece in apart if not unicodedata.combining(piece))
    return plain if plain and is_gsm(plain) else None
