"""Segments and septets against two implementations that others wrote."""

import random

import gsm0338
import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.domain.gsm import decode, encode_part, from_septets, is_gsm, to_septets
from smsdesk.domain.segments import CostlyCharacter, costly_characters, segment

GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
GSM += "abcdefghijklmnopqrstuvwxyzäöñüà" + "\f^{}\\[~]|€"
EMOJI = "😀"


@pytest.mark.parametrize(
    ("body", "encoding", "units", "parts"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        ("^{}[]~|\\\f", "gsm7", 18, 1),
        ("Ç", "gsm7", 1, 1),
        ("ç", "ucs2", 1, 1),
        ("`", "ucs2", 1, 1),
        ("a\u00a0b", "ucs2", 3, 1),
        ("\x1b", "ucs2", 1, 1),
        ("ж" * 70, "ucs2", 70, 1),
        ("ж" * 71, "ucs2", 71, 2),
        ("ж" * 134, "ucs2", 134, 2),
        ("ж" * 135, "ucs2", 135, 3),
        (EMOJI * 35, "ucs2", 70, 1),
        (EMOJI * 36, "ucs2", 72, 2),
        ("ж" * 66 + EMOJI + "ж" * 66, "ucs2", 134, 3),
        ("a" * 10 + "]" * 74 + EMOJI, "ucs2", 86, 2),
    ],
)
def test_the_cases_of_the_field(body: str, encoding: str, units: int, parts: int) -> None:
    segments = segment(body)
    assert (segments.encoding, segments.units, len(segments.parts)) == (encoding, units, parts)
    assert "".join(segments.parts) == body


def test_a_longer_reference_leaves_less_room() -> None:
    assert [len(part) for part in segment("a" * 305, reference_bits=16).parts] == [152, 152, 1]
    assert [len(part) for part in segment("ж" * 133, reference_bits=16).parts] == [66, 66, 1]


def texts(count: int) -> list[str]:
    """Seeded: mostly GSM with many extension characters, some with one character that makes them UCS-2."""
    draw = random.Random(20211004)
    pools = (GSM, GSM + "€[]{}" * 10, GSM + "😀ж”`ê", "ж😀a€")
    return ["".join(draw.choices(draw.choice(pools), k=draw.randrange(1, 500))) for _ in range(count)]


def test_twenty_thousand_texts_are_cut_as_another_library_cuts_them() -> None:
    for body in texts(20_000):
        ours, theirs = segment(body), smsutil.split(body)
        assert ours.encoding == {"gsm0338": "gsm7", "utf_16_be": "ucs2"}[theirs.encoding]
        assert list(ours.parts) == [part.content for part in theirs.parts]
        assert ours.units == theirs.total_bytes // (1 if ours.encoding == "gsm7" else 2)


def test_septets_are_those_of_another_library() -> None:
    codec = gsm0338.Codec()
    for body in filter(is_gsm, [*GSM, *texts(1_000)]):
        octets = encode_part(body, "gsm7")
        assert octets == codec.encode(body)[0]
        assert decode(octets, 0) == (body, "gsm7")


@settings(deadline=None)
@given(st.text(st.characters(codec=None)), st.sampled_from([8, 16]))
def test_any_text_is_cut_within_the_limits_and_loses_nothing(body: str, bits: int) -> None:
    segments = segment(body, bits)
    whole = body.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
    assert "".join(segments.parts) == whole
    sizes = [len(encode_part(part, segments.encoding)) for part in segments.parts]
    single, headed = (160, {8: 153, 16: 152}) if segments.encoding == "gsm7" else (140, {8: 134, 16: 132})
    assert sizes[0] <= single if len(sizes) == 1 else all(0 < size <= headed[bits] for size in sizes)
    assert sum(sizes) == segments.units * (1 if segments.encoding == "gsm7" else 2)


@pytest.mark.parametrize(
    ("body", "sent"),
    [("a\ud800b", "a\ufffdb"), ("\udc00", "\ufffd"), ("ж" * 66 + "\ud83d" + "ж" * 9, "ж" * 66 + "\ufffd" + "ж" * 9)],
)
def test_a_lone_surrogate_is_replaced(body: str, sent: str) -> None:
    assert "".join(segment(body).parts) == sent


def test_two_surrogates_that_make_a_pair_are_joined() -> None:
    assert segment("\ud83d\ude00").parts == (EMOJI,)


def test_costly_characters_are_named_with_a_swap() -> None:
    assert costly_characters("plain {€}") == []
    assert costly_characters("it’s") == [CostlyCharacter(2, "’", "RIGHT SINGLE QUOTATION MARK", "'")]
    swaps = {found.character: found.swap for found in costly_characters("“”‘–—…\u00a0`´êÁçﬁ™•\u200b½😀жö\ud800")}
    assert swaps == {
        "“": '"',
        "”": '"',
        "‘": "'",
        "–": "-",
        "—": "-",
        "…": "...",
        "\u00a0": " ",
        "`": "'",
        "´": "'",
        "ê": "e",
        "Á": "A",
        "ç": "c",
        "ﬁ": "fi",
        "™": "TM",
        "•": "*",
        "\u200b": "",
        "½": "1/2",
        "😀": None,
        "ж": None,
        "\ud800": None,
    }


@settings(deadline=None)
@given(st.text(max_size=30))
def test_swapping_every_costly_character_makes_gsm(body: str) -> None:
    costly = {found.character: found.swap for found in costly_characters(body)}
    swapped = "".join(costly.get(character, character) or "" for character in body)
    assert is_gsm(swapped)
    assert is_gsm(body) == (costly == {})


@pytest.mark.parametrize(
    ("payload", "coding", "read"),
    [
        (b"\x00\x1b\x65", 0, ("@€", "gsm7")),
        (b"A\x1bB\x1b", 0, ("AB", "gsm7")),
        (b"\x1b\x1b\x65", 0, ("€", "gsm7")),
        (b"a\xe9", 0, ("a\ufffd", "gsm7")),
        (b"\x00", 0xF1, ("@", "gsm7")),
        (b"@$", 1, ("@$", "ascii")),
        (b"\xe9", 1, ("\ufffd", "ascii")),
        (b"\xe9", 3, ("é", "latin1")),
        (b"\xde\x62", 6, ("оb", "cyrillic")),
        ("sì 😀".encode("utf-16-be"), 8, ("sì 😀", "ucs2")),
        (b"\x20\xac\x20", 8, ("€\ufffd", "ucs2")),
        (b"\xd8\x3d\x00a", 8, ("\ufffda", "ucs2")),
        (b"\x01\xff", 4, ("01 ff", "binary")),
        (b"\x01\xff", 0xF5, ("01 ff", "binary")),
    ],
)
def test_what_phones_send_is_read(payload: bytes, coding: int, read: tuple[str, str]) -> None:
    assert decode(payload, coding) == read


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 255))
def test_any_octets_in_any_coding_are_shown(payload: bytes, coding: int) -> None:
    body, encoding = decode(payload, coding)
    assert bool(body) >= (bool(payload.strip(b"\x1b")) and encoding != "ucs2")
    assert body.encode("utf-8").decode("utf-8") == body


@settings(deadline=None)
@given(st.text(GSM, max_size=200))
def test_septets_are_read_back(body: str) -> None:
    assert from_septets(to_septets(body)) == body
