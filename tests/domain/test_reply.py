"""Joining long replies, and knowing a repetition from a person who says it twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smsdesk.domain.reply import Earlier, InboundPart, clean, fingerprint, is_repetition, join_parts

AT = datetime(2026, 3, 1, tzinfo=UTC)
YES = InboundPart(1, "+14155550100", "+16285550199", "yes", "gsm7", AT, "b")


@pytest.mark.parametrize(
    ("earlier", "repeated"),
    [
        (Earlier("b", AT - timedelta(seconds=3), False), False),
        (Earlier("b", AT, False), True),
        (Earlier("a", AT - timedelta(seconds=3), False), True),
        (Earlier("a", AT - timedelta(seconds=3), True), False),
        (Earlier("a", AT - timedelta(minutes=11), False), False),
    ],
)
def test_a_repetition_without_a_name(earlier: Earlier, repeated: bool) -> None:
    assert is_repetition(YES, earlier) is repeated


def test_a_name_of_the_carrier_settles_it() -> None:
    assert is_repetition(replace(YES, carrier_reference="x1"), Earlier("b", AT - timedelta(days=1), True))


def test_the_fingerprint_knows_each_field_apart() -> None:
    changes = ({"source": "+1"}, {"destination": "+1"}, {"body": "no"}, {"carrier_reference": "1"}, {"part": (1, 1, 2)})
    prints = {fingerprint(YES), *(fingerprint(replace(YES, **change)) for change in changes)}  # type: ignore[arg-type]
    assert len(prints) == 6
    assert fingerprint(replace(YES, session="z", at=AT + timedelta(1))) == fingerprint(YES)


def test_joining_marks_what_is_missing() -> None:
    whole = {1: ("one ", "gsm7", b""), 2: ("two", "gsm7", b"")}
    assert join_parts(whole, 2) == ("one two", "gsm7")
    assert join_parts({2: whole[2]}, 3) == (
        "[part 1 of 3 did not arrive]two[part 3 of 3 did not arrive]", "gsm7",
    )  # fmt: skip


def test_a_character_cut_in_two_is_whole_again() -> None:
    octets = "ab😀".encode("utf-16-be")
    parts = {1: ("ab\ufffd", "ucs2", octets[:6]), 2: ("\ufffd", "ucs2", octets[6:])}
    assert join_parts(parts, 2) == ("ab😀", "ucs2")


def test_clean_text_fits_a_database() -> None:
    assert clean("a\0b\ud83dc") == "a\ufffdb\ufffdc"
    assert clean("\ud83d\ude00") == "😀"
