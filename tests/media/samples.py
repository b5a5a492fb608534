"""Small files of each kind, put together as their specifications say, with and without a place in them."""

import base64
import struct
import zlib

PLACE = b"+48.8577+002.295/"
"""What must never be found in a file that was cleaned."""


# JPEG: one grey pixel, with the tables of ITU-T T.81, annex K.

PIXEL = (
    base64.b64decode(
        "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////"
        "////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
    )
    + b"\xff\xd9"
)


def segment(code: int, said: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(said) + 2) + said


def exif(orientation: int = 6) -> bytes:
    """An EXIF segment with a way up and a place (a made-up tag whose value is words)."""
    at = 8 + 2 + 2 * 12 + 4
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack(">HHII", 0x010E, 2, len(PLACE), at)
    return segment(0xE1, b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4) + PLACE)


def jpeg(*notes: bytes, tail: bytes = b"") -> bytes:
    """A picture with these segments behind its head, and something behind its end."""
    return PIXEL[:2] + b"".join(notes) + PIXEL[2:] + tail


def jpeg_with_place() -> bytes:
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + PLACE)
    iptc = segment(0xED, b"Photoshop 3.0\0" + PLACE)
    return jpeg(exif(), xmp, iptc, segment(0xFE, PLACE), segment(0xE2, b"MPF\0" + PLACE), tail=b"\0\0ftypmp42" + PLACE)


# PNG.


def chunk(name: bytes, said: bytes) -> bytes:
    return len(said).to_bytes(4) + name + said + zlib.crc32(name + said).to_bytes(4)


def png(*notes: bytes, width: int = 1, height: int = 1) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(b"\0\x80" * 1))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(notes) + rows + chunk(b"IEND", b"")


def png_with_place() -> bytes:
    notes = [chunk(name, b"Comment\0" + PLACE) for name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"prVt")]
    return png(chunk(b"gAMA", (45455).to_bytes(4)), *notes) + PLACE


# GIF.


def gif(*notes: bytes) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    control = b"\x21\xf9\x04\x01\x0a\x00\x00\x00"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + b"".join(notes) + control + picture + b"\x3b"


def gif_with_place() -> bytes:
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    xmp = b"\x21\xff\x0bXMP DataXMP" + bytes((len(PLACE),)) + PLACE + b"\0"
    return gif(loop, xmp, b"\x21\xfe" + bytes((len(PLACE),)) + PLACE + b"\0") + PLACE


# WebP and WAV.


def riff(form: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    body = form + b"".join(
        name + len(said).to_bytes(4, "little") + said + bytes(len(said) % 2) for name, said in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


LOSSLESS = b"\x2f\x00\x00\x00\x00\x07\x10\xfd\x8f\xfe\x07\x22\xa2\xff\x01"


def webp(*notes: tuple[bytes, bytes], flags: int = 0) -> bytes:
    head = bytes((flags, 0, 0, 0)) + bytes(6)
    return riff(b"WEBP", (b"VP8X", head), (b"VP8L", LOSSLESS), *notes)


def webp_with_place() -> bytes:
    return webp((b"EXIF", PLACE), (b"XMP ", PLACE), (b"note", PLACE), flags=0x0C)


def wav(*notes: tuple[bytes, bytes]) -> bytes:
    return riff(b"WAVE", (b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)), *notes, (b"data", b"\x80" * 7))


# Films.


def box(name: bytes, *said: bytes) -> bytes:
    body = b"".join(said)
    return (len(body) + 8).to_bytes(4) + name + body


def track(handler: bytes, *notes: bytes) -> bytes:
    tables = box(b"stbl", box(b"stsd", bytes(8)), box(b"stco", bytes(4) + (1).to_bytes(4) + (48).to_bytes(4)))
    name = box(b"hdlr", bytes(8) + handler + bytes(13))
    media = box(b"mdia", box(b"mdhd", bytes(24)), name, box(b"minf", tables))
    return box(b"trak", box(b"tkhd", bytes(84)), media, *notes)


def film(*notes: bytes, brand: bytes = b"isom", tracks: tuple[bytes, ...] = (b"vide", b"soun")) -> bytes:
    head = box(b"ftyp", brand, bytes(4), brand)
    parts = [track(one, *notes[:1]) for one in tracks]
    return head + box(b"mdat", b"samples of sound and picture") + box(b"moov", box(b"mvhd", bytes(100)), *parts, *notes)


def film_with_place() -> bytes:
    place = box(b"\xa9xyz", len(PLACE).to_bytes(2) + b"\x15\xc7" + PLACE)
    return film(box(b"udta", place, box(b"loci", PLACE)), box(b"meta", bytes(4), PLACE)) + (
        box(b"uuid", bytes(16), PLACE) + box(b"free", PLACE)
    )


# Sound and words.


def mp3(*, notes: bool = False) -> bytes:
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    if not notes:
        return frame
    before = b"ID3\x04\0\0" + bytes((0, 0, 0, len(PLACE))) + PLACE
    ape = PLACE + b"APETAGEX" + struct.pack("<IIII", 2000, len(PLACE) + 32, 1, 0) + bytes(8)
    return before + frame + ape + (b"TAG" + PLACE).ljust(128, b"\0")


VCARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A Garage\r\nEND:VCARD\r\n"
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
AMR = b"#!AMR\n" + bytes(32)
