"""What a file is, by its content and by nothing else."""

import pytest

from smsdesk.domain import media
from smsdesk.domain.media import MediaRefused, MediaType, sniff, too_large
from tests.media import samples


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (samples.jpeg(), media.JPEG),
        (samples.png(), media.PNG),
        (samples.gif(), media.GIF),
        (samples.webp(), media.WEBP),
        (samples.film(), media.MP4),
        (samples.film(brand=b"mp42"), media.MP4),
        (samples.film(brand=b"3gp5"), media.THREE_GP),
        (samples.film(brand=b"3g2a"), media.THREE_G2),
        (samples.film(brand=b"qt  "), media.MOV),
        (samples.film()[20:], media.MOV),
        (samples.film(brand=b"M4A "), media.M4A),
        (samples.mp3(), media.MP3),
        (samples.mp3(notes=True), media.MP3),
        (samples.AMR, media.AMR),
        (samples.wav(), media.WAV),
        (samples.PDF, media.PDF),
        (samples.VCARD, media.VCARD),
        (b"\xef\xbb\xbf" + samples.VCARD, media.VCARD),
        (b"BEGIN:VCALENDAR\nVERSION:2.0\n", media.CALENDAR),
    ],
)
def test_a_file_is_known_by_its_first_octets(content: bytes, kind: MediaType) -> None:
    assert sniff(content) == kind
    assert media.BY_CONTENT_TYPE[kind.content_type] == kind


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (b"hello", "an unknown kind of file"),
        (b"PK\x03\x04 a bomb", "an archive"),
        (b"\x1f\x8b\x08", "an archive"),
        (b"<!DOCTYPE html><script>", "a web page"),
        (b" <html><body>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg onload="', "SVG"),
        (b"<svg>", "SVG"),
        (b"<smil><head>", "layout"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"MZ\x90\0", "a program"),
        (b"#!/bin/sh", "a program"),
    ],
)
def test_what_is_not_kept_says_why(content: bytes, says: str) -> None:
    with pytest.raises(MediaRefused, match=says):
        sniff(content)


def test_a_size_is_told_in_megabytes() -> None:
    assert str(too_large(30_000_000, 5_000_000)) == "30 MB: larger than 5 MB"
    assert str(too_large(5_240_000, 5_000_000)) == "5.2 MB: larger than 5 MB"
