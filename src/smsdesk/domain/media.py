"""Pictures, films and other files that come with a text or go with one: what they are by their content, and which are
kept.

What a sender or a server calls a file counts for nothing: its first octets say what it is.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MOST_ATTACHMENTS = 10
"""Attachments of one message: what Twilio, Telnyx and Bandwidth take at most."""
HARD_LIMIT_MB = 100
"""The most that `media_most_mb` can be: the imitated product's limit for an agent's attachment."""
MB = 1_000_000
MMS_MOST = 5 * MB
"""Octets of all files of one MMS (Twilio, error 11751). Networks have lower limits of their own, some of 600 kB."""
MOST_PIXELS = 200_000_000
"""Pixels of a picture. A small file can name a canvas that takes all memory of whoever shows it."""

Kind = Literal["photo", "video", "audio", "file"]
HEAD = 512
"""Octets that `sniff` looks at."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A kind of file."""

    content_type: str
    kind: Kind
    suffix: str


@dataclass(frozen=True, slots=True)
class MediaSource:
    """What a carrier says of a file that came with a reply."""

    url: str
    """Where the carrier keeps it."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A file of a chat, as it is read."""

    media_id: int
    chat_id: int
    message_id: int | None
    """What it came with or went with; None for an upload that was not sent yet."""
    direction: Literal["in", "out"]
    state: Literal["wanted", "kept", "refused"]
    """`wanted`: it is still to be fetched from the carrier."""
    kind: Kind | None
    """None until it is known what it is."""
    content_type: str | None
    size: int | None
    """Octets."""
    name: str
    reason: str | None
    """Why it is refused, or why it could not be fetched so far."""
    created_at: datetime
    url: str | None
    """A link that opens without a password until it expires; None for what is not kept."""


def shown(media: Iterable[Media], kind: Kind) -> list[Media]:
    """Those of a kind that can be looked at: they are kept, and were said by one side or the other."""
    return [one for one in media if one.kind == kind and one.url is not None and one.message_id is not None]


class MediaRefused(ValueError):
    """A file that is not kept, or not sent; the text says why, for people."""


JPEG = MediaType("image/jpeg", "photo", "jpg")
PNG = MediaType("image/png", "photo", "png")
GIF = MediaType("image/gif", "photo", "gif")
WEBP = MediaType("image/webp", "photo", "webp")
MP4 = MediaType("video/mp4", "video", "mp4")
THREE_GP = MediaType("video/3gpp", "video", "3gp")
THREE_G2 = MediaType("video/3gpp2", "video", "3g2")
MOV = MediaType("video/quicktime", "video", "mov")
M4A = MediaType("audio/mp4", "audio", "m4a")
MP3 = MediaType("audio/mpeg", "audio", "mp3")
AMR = MediaType("audio/amr", "audio", "amr")
WAV = MediaType("audio/wav", "audio", "wav")
PDF = MediaType("application/pdf", "file", "pdf")
VCARD = MediaType("text/vcard", "file", "vcf")
CALENDAR = MediaType("text/calendar", "file", "ics")

TYPES = (JPEG, PNG, GIF, WEBP, MP4, THREE_GP, THREE_G2, MOV, M4A, MP3, AMR, WAV, PDF, VCARD, CALENDAR)
"""All that is kept."""
BY_CONTENT_TYPE: Mapping[str, MediaType] = {one.content_type: one for one in TYPES}

_MAGIC: tuple[tuple[bytes, MediaType], ...] = (
    (rb"\xff\xd8\xff", JPEG),  # ITU-T T.81, B.1.1.3
    (rb"\x89PNG\r\n\x1a\n", PNG),  # PNG (Third Edition), 5.2
    (rb"GIF8[79]a", GIF),  # GIF89a specification, 17
    (rb"RIFF....WEBP", WEBP),  # RFC 9649, 2.4
    (rb"RIFF....WAVE", WAV),  # RFC 2361
    (rb"....ftyp3g2", THREE_G2),  # 3GPP2 C.S0050
    (rb"....ftyp3g[eghrst]|....ftyp3gp", THREE_GP),  # 3GPP TS 26.244, 5.3
    (rb"....(?:ftypqt  |moov|mdat|wide)", MOV),  # QuickTime File Format, "The file type compatibility atom"
    (rb"....ftypM4[AB] ", M4A),  # registered at mp4ra.org
    (rb"....ftyp(?:isom|iso[2-9]|mp4[12]|avc1|MSNV|M4V |M4VH|M4VP|dash|f4v )", MP4),  # ISO/IEC 14496-12; mp4ra.org
    (rb"#!AMR(?:-WB)?\n", AMR),  # RFC 4867, 5
    (rb"ID3[\x02-\x04]", MP3),  # id3.org, ID3v2
    (rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", MP3),  # ISO/IEC 11172-3, 2.4.2.3: an audio frame of layer III
    (rb"%PDF-[12]\.", PDF),  # ISO 32000-1, 7.5.2
    (rb"(?:\xef\xbb\xbf)?(?i:BEGIN:VCARD)\r?\n", VCARD),  # RFC 6350, 6.1.1
    (rb"(?:\xef\xbb\xbf)?(?i:BEGIN:VCALENDAR)\r?\n", CALENDAR),  # RFC 5545, 3.4
)
_KNOWN = tuple((re.compile(pattern, re.DOTALL), kind) for pattern, kind in _MAGIC)
_OTHERS = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1|avif|avis)", "a HEIC or AVIF picture: ask for it as JPEG"),
        (rb"(?:<\?xml[^>]*>)?\s*<smil", "the layout of the message, which holds no content"),
        (rb"(?:<\?xml[^>]*>)?\s*(?:<!--.*?-->\s*)?<svg", "an SVG picture, which may hold a program"),
        (rb"(?i:\s*<!doctype html|\s*<html)", "a web page, not a file"),
        (rb"PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf", "an archive"),
        (rb"MZ|\x7fELF|#!/", "a program"),
    )
)
"""What is said of files that come often and are not kept."""


def sniff(content: bytes) -> MediaType:
    """What a file is by its first octets (HEAD are enough). Raises MediaRefused for what is not kept."""
    head = content[:HEAD]
    for pattern, kind in _KNOWN:
        if pattern.match(head):
            return kind
    for pattern, words in _OTHERS:
        if pattern.match(head):
            raise MediaRefused(words)
    raise MediaRefused("an unknown kind of file" if content else "an empty file")


def too_large(size: int, most: int) -> MediaRefused:
    """The refusal of a file of so many octets where `most` are allowed."""
    return MediaRefused(f"{_megabytes(size)}: larger than {_megabytes(most)}")


def content_key(tenant_id: int, content: bytes) -> str:
    """Where a file is kept: by its tenant and its content, so that the same file twice is one, and no tenant can learn
    what another has."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{tenant_id}/{digest[:2]}/{digest}"


def _megabytes(octets: int) -> str:
    return f"{octets / MB:.1f}".removesuffix(".0") + " MB"
