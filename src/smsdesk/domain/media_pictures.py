"""JPEG, PNG, GIF and WebP without notes. Each raises ValueError or IndexError for what is broken."""

import re
import struct
import zlib
from collections.abc import Iterator

from smsdesk.domain import media
from smsdesk.domain.media import MediaType

# JPEG (ITU-T T.81). Marker codes are those of table B.1.

_SOI, _EOI, _SOS = b"\xff\xd8", 0xD9, 0xDA
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Frame headers, which hold the size of the picture."""
_NEEDED = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xE0)})
_SCAN_END = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_EXIF, _ICC, _JFIF, _ADOBE = b"Exif\0\0", b"ICC_PROFILE\0", b"JFIF\0", b"Adobe"
_ORIENTATION = 0x0112


def clean_jpeg(content: bytes) -> bytes:
    """Frames, scans and tables, JFIF, colour profile and Adobe's colour mark; of EXIF only which way is up. What
    follows the picture, such as a second one or a film, goes as well."""
    out = [_SOI]
    at, ended = 2, False
    while not ended:
        code, start, end = _marker(content, at)
        if code == _EOI:
            out.append(b"\xff\xd9")
            ended = True
        elif code == _SOS:
            scan = _SCAN_END.search(content, end)
            if scan is None:
                raise ValueError("a scan without an end")
            end = scan.start()
            out.append(b"\xff\xda" + content[start:end])
        else:
            out.append(_kept_segment(code, content[start:end]))
        at = end
    return b"".join(out)


def _marker(content: bytes, at: int) -> tuple[int, int, int]:
    """The code of the marker at a place, and where what belongs to it begins and ends."""
    if content[at] != 0xFF:
        raise ValueError("no marker where one belongs")
    while content[at] == 0xFF:
        at += 1
    code, start = content[at], at + 1
    if code == _EOI or code in _BARE:
        return code, start, start
    length = int.from_bytes(content[start : start + 2])
    if length < 2 or start + length > len(content):
        raise ValueError("a segment without an end")
    return code, start, start + length


def _kept_segment(code: int, segment: bytes) -> bytes:
    said = segment[2:]
    whole = bytes((0xFF, code)) + segment
    if code in _NEEDED or code in _BARE:
        return whole
    if (code == 0xE0 and said.startswith(_JFIF)) or (code == 0xE2 and said.startswith(_ICC)):
        return whole
    if code == 0xEE and said.startswith(_ADOBE):
        return whole
    if code == 0xE1 and said.startswith(_EXIF):
        return _upright(_orientation(said[len(_EXIF) :]))
    return b""


def _orientation(tiff: bytes) -> int:
    """Which way is up, 1 to 8 (Exif 2.32, 4.6.4); 1, upright, where it is not said in good order."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(min(count, 100)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
            if tag == _ORIENTATION and kind == 3 and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return 1
    return 1


def _upright(orientation: int) -> bytes:
    """An EXIF segment that says which way is up and nothing else; none where that is needless."""
    if orientation == 1:
        return b""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    said = _EXIF + b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said


# PNG (Third Edition, section 11).

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs cICP mDCV cLLI acTL fcTL fdAT".split()
)


def clean_png(content: bytes) -> bytes:
    """The chunks that make up the picture and its colours."""
    out, at, name = [_PNG_SIGNATURE], len(_PNG_SIGNATURE), b""
    while name != b"IEND":
        length = int.from_bytes(content[at : at + 4])
        name, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            raise ValueError("a broken chunk")
        if name in _PNG_KEPT:
            out.append(content[at:end])
        at = end
    return b"".join(out)


# GIF89a (sections 18 to 26).

_ANIMATION = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def clean_gif(content: bytes) -> bytes:
    """Images and their timing; comments, plain text and the notes of applications go."""
    at = 13 + _colours(content[10])
    out = [content[:at]]
    while content[at] != 0x3B:
        start = at
        if content[at] == 0x2C:
            at = _sub_blocks(content, at + 11 + _colours(content[at + 9]))
            out.append(content[start:at])
        elif content[at] == 0x21:
            label, first = content[at + 1], content[at + 3 : at + 14]
            at = _sub_blocks(content, at + 2)
            if label == 0xF9 or (label == 0xFF and first in _ANIMATION):
                out.append(content[start:at])
        else:
            raise ValueError("an unknown block")
    return b"".join((*out, b"\x3b"))


def _colours(packed: int) -> int:
    """Octets of the colour table that a packed field announces."""
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _sub_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += content[at] + 1
    return at + 1


# WebP (RFC 9649, section 2).

_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_NOTES = 0x0C
"""The flags of VP8X that announce EXIF and XMP."""
_FRAME_HEADER = 16


def clean_webp(content: bytes) -> bytes:
    """The chunks that make up the picture and its colours."""
    size = int.from_bytes(content[4:8], "little")
    if size + 8 > len(content):
        raise ValueError("shorter than it says")
    body = b"".join(_webp_chunks(content[12 : 8 + size]))
    if not body:
        raise ValueError("no picture")
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _webp_chunks(content: bytes) -> Iterator[bytes]:
    for name, said in riff_chunks(content):
        if name == b"VP8X":
            yield riff_chunk(name, bytes((said[0] & ~_NOTES,)) + said[1:])
        elif name == b"ANMF":
            yield riff_chunk(name, said[:_FRAME_HEADER] + b"".join(_webp_chunks(said[_FRAME_HEADER:])))
        elif name in _WEBP_KEPT:
            yield riff_chunk(name, said)


def riff_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file, each with its name; raises ValueError for one that is cut off."""
    at = 0
    while at < len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        said = content[at + 8 : at + 8 + length]
        if len(name) < 4 or len(said) < length:
            raise ValueError("a chunk that is cut off")
        yield name, said
        at += 8 + length + length % 2


def riff_chunk(name: bytes, said: bytes) -> bytes:
    """A chunk as it stands in a file."""
    return name + len(said).to_bytes(4, "little") + said + bytes(len(said) % 2)


# Sizes.


def pixels(content: bytes, kind: MediaType) -> int:
    """Width times height as the head of a picture says; 0 for what is no picture, or says nothing."""
    try:
        if kind == media.PNG:
            return int.from_bytes(content[16:20]) * int.from_bytes(content[20:24])
        if kind == media.GIF:
            return int.from_bytes(content[6:8], "little") * int.from_bytes(content[8:10], "little")
        if kind == media.WEBP and content[12:16] == b"VP8X":
            width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
            return width * height
        if kind == media.JPEG:
            return _jpeg_pixels(content)
    except (IndexError, ValueError):
        return 0
    return 0


def _jpeg_pixels(content: bytes) -> int:
    at = 2
    while True:
        code, start, at = _marker(content, at)
        if code in _SIZES:
            return int.from_bytes(content[start + 3 : start + 5]) * int.from_bytes(content[start + 5 : start + 7])
        if code in (_SOS, _EOI):
            return 0
