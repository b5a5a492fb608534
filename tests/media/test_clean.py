"""Where a picture was made leaves it, and the picture stays; what cannot be read is refused, whatever its octets."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from smsdesk.domain import media
from smsdesk.domain.media import MediaRefused, MediaType, sniff
from smsdesk.domain.media_clean import clean
from smsdesk.domain.media_pictures import pixels
from tests.media import samples

WITH_PLACE: list[tuple[MediaType, bytes]] = [
    (media.JPEG, samples.jpeg_with_place()),
    (media.PNG, samples.png_with_place()),
    (media.GIF, samples.gif_with_place()),
    (media.WEBP, samples.webp_with_place()),
    (media.MP4, samples.film_with_place()),
    (media.MP3, samples.mp3(notes=True)),
    (media.WAV, samples.wav((b"LIST", samples.PLACE))),
]
BARE = {
    media.PNG: samples.png(samples.chunk(b"gAMA", (45455).to_bytes(4))),
    media.GIF: samples.gif(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"),
    media.WEBP: samples.webp(),
    media.MP3: samples.mp3(),
    media.WAV: samples.wav(),
}
"""What is left of the same files when all their notes are gone: they were made without them."""


@pytest.mark.parametrize(("kind", "content"), WITH_PLACE, ids=lambda one: getattr(one, "suffix", ""))
def test_the_place_leaves_and_the_rest_stays(kind: MediaType, content: bytes) -> None:
    assert samples.PLACE in content
    cleaned = clean(content, kind)
    assert samples.PLACE not in cleaned
    assert sniff(cleaned) == kind
    assert clean(cleaned, kind) == cleaned
    if kind in BARE:
        assert cleaned == BARE[kind]


def test_a_photo_keeps_which_way_is_up_and_nothing_else_of_its_exif() -> None:
    upright = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + bytes(4)
    assert clean(samples.jpeg_with_place(), media.JPEG) == samples.jpeg(samples.segment(0xE1, upright))
    assert clean(samples.jpeg(samples.exif(1)), media.JPEG) == samples.jpeg()


def test_a_photo_keeps_its_colours() -> None:
    profile = samples.segment(0xE2, b"ICC_PROFILE\0\x01\x01 profile")
    adobe = samples.segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")
    assert clean(samples.jpeg(profile, adobe), media.JPEG) == samples.jpeg(profile, adobe)


def test_notes_between_the_scans_of_a_photo_leave() -> None:
    scan = samples.PIXEL.index(b"\xff\xda")
    first, second = samples.PIXEL[:-2], samples.PIXEL[scan:]
    assert clean(first + samples.segment(0xFE, samples.PLACE) + second, media.JPEG) == first + second


def test_nothing_in_a_film_moves() -> None:
    """The tables of a film say where in the file its samples are."""
    content = samples.film_with_place()
    cleaned = clean(content, media.MP4)
    assert len(cleaned) == len(content)
    bare = samples.film()
    assert cleaned.index(b"samples of") == bare.index(b"samples of")
    assert cleaned.count(b"stco") == 2
    assert not any(name in cleaned for name in (b"udta", b"meta", b"uuid", b"xyz", b"loci"))


@pytest.mark.parametrize("handler", [b"meta", b"text", b"sbtl", b"gpmd"])
def test_a_film_with_a_track_of_notes_is_refused(handler: bytes) -> None:
    with pytest.raises(MediaRefused, match="a track of notes"):
        clean(samples.film(tracks=(b"vide", handler)), media.MP4)


@pytest.mark.parametrize(("kind", "content"), WITH_PLACE, ids=lambda one: getattr(one, "suffix", ""))
def test_a_file_that_is_cut_off_is_refused(kind: MediaType, content: bytes) -> None:
    """Or what came through is clean all the same, such as a picture whose tail alone is missing."""
    for end in range(1, len(content)):
        with suppress(MediaRefused):
            assert samples.PLACE not in clean(content[:end], kind)


@pytest.mark.parametrize("content", [samples.jpeg()[:-2], samples.png()[:-3], samples.gif()[:-1], samples.film()[:-9]])
def test_a_broken_file_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(MediaRefused, match=r"a broken .* could not be taken out"):
        clean(content, sniff(content))


def test_words_that_somebody_wrote_stay_as_they_are() -> None:
    for content in (samples.VCARD, samples.PDF, samples.AMR):
        assert clean(content, sniff(content)) == content


def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused() -> None:
    bomb = samples.png(width=60_000, height=60_000)
    with pytest.raises(MediaRefused, match="more than 200 million pixels"):
        clean(bomb, media.PNG)


def test_sizes_are_read_from_each_format() -> None:
    assert pixels(samples.png(width=640, height=480), media.PNG) == 640 * 480
    assert pixels(samples.jpeg(samples.exif()), media.JPEG) == 1
    assert pixels(samples.gif(), media.GIF) == 1
    assert pixels(samples.webp(), media.WEBP) == 1
    assert pixels(samples.film(), media.MP4) == 0


@given(some.sampled_from(WITH_PLACE), some.data())
def test_any_octets_are_cleaned_or_refused(sample: tuple[MediaType, bytes], data: some.DataObject) -> None:
    """Octets changed, taken out and put in: never another error, never a place that a note holds."""
    kind, content = sample
    damaged = bytearray(content)
    for _ in range(data.draw(some.integers(0, 4))):
        at = data.draw(some.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(some.integers(0, 8))] = data.draw(some.binary(max_size=8))
        if not damaged:
            return
    try:
        cleaned = clean(bytes(damaged), kind)
    except MediaRefused:
        return
    assert clean(cleaned, kind) == cleaned


@given(some.sampled_from(media.TYPES), some.binary(max_size=300))
def test_noise_is_cleaned_or_refused(kind: MediaType, content: bytes) -> None:
    with suppress(MediaRefused):
        clean(content, kind)
