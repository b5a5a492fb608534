"""The pure parts: what handsets keep, what faults decide, what ids say."""

from random import Random

import pytest

from smsdesk.lab.faults import FINE, Faults, Throttle, by_settings, by_text
from smsdesk.lab.handsets import Handsets
from smsdesk.lab.reading import Part, e164
from smsdesk.lab.states import MessageStates


def part(octets: bytes, number: int = 1, total: int = 1, reference: int = 0, data_coding: int = 0) -> Part:
    return Part("+16285550199", "+14155550100", octets, data_coding, "acme", reference, number, total)


def test_a_part_submitted_twice_is_counted_and_shown_once() -> None:
    handsets = Handsets()
    for at, (octets, number) in enumerate([(b"one ", 1), (b"one ", 1), (b"three", 3)]):
        assert handsets.arrive(part(octets, number, 3, 9), f"id{at}", float(at)) is None
    text = handsets.arrive(part(b"two ", 2, 3, 9), "id3", 3.0)
    assert text is not None
    assert (text.body, text.submits, text.carrier_ids) == ("one two three", (2, 1, 1), ("id0", "id3", "id2"))
    assert (text.first_at, text.at) == (0.0, 3.0)
    assert handsets.incomplete == 0


def test_a_part_after_the_text_was_whole_begins_another() -> None:
    handsets = Handsets()
    for number in (1, 2, 2):
        handsets.arrive(part(b"x", number, 2, 9), "id", 0.0)
    assert (len(handsets), handsets.incomplete) == (1, 1)


def test_parts_of_two_texts_do_not_mix() -> None:
    handsets = Handsets()
    handsets.arrive(part(b"a1", 1, 2, 1), "id", 0.0)
    handsets.arrive(part(b"b1", 1, 2, 2), "id", 0.0)
    first, second = (handsets.arrive(part(b"%d" % n, 2, 2, n), "id", 0.0) for n in (1, 2))
    assert first is not None
    assert second is not None
    assert (first.body, second.body) == ("a11", "b12")


def test_parts_in_two_codings_are_read_each_in_its_own() -> None:
    handsets = Handsets()
    handsets.arrive(part("ü".encode("latin-1"), 1, 2, 1, data_coding=3), "id", 0.0)
    text = handsets.arrive(part("ж".encode("utf-16-be"), 2, 2, 1, data_coding=8), "id", 0.0)
    assert text is not None
    assert text.body == "üж"


def test_an_empty_handset_goes_with_its_last_text() -> None:
    handsets = Handsets(limit=1)
    handsets.arrive(part(b"old"), "id", 0.0)
    handsets.arrive(Part("+16285550199", "+14155550101", b"new", 0, "acme"), "id", 1.0)
    assert list(handsets.by_number) == ["+14155550101"]
    assert [text.body for text in handsets.after(0, 10)] == ["new"]


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("+1 (415) 555-0100", "+14155550100"),
        ("14155550100", "+14155550100"),
        ("+14155550100", "+14155550100"),
        ("12345", "12345"),
        ("ACME", "ACME"),
    ],
)
def test_numbers_as_people_type_them(typed: str, known: str) -> None:
    assert e164(typed) == known


@pytest.mark.parametrize("body", ["", "#", "#slower", "#refuse:", "#refuse:0x", "#slow:x", "lose", "#Lose", "#losers"])
def test_what_is_no_fault_word(body: str) -> None:
    assert by_text(body) is None


@pytest.mark.parametrize(("word", "seconds"), [("#slow", 2.0), ("#slow:0.25", 0.25), ("hi #slow:15.", 15.0)])
def test_seconds_in_a_word(word: str, seconds: float) -> None:
    verdict = by_text(word)
    assert verdict is not None
    assert verdict.answer_delay == seconds


def test_shares_follow_the_seed() -> None:
    faults = Faults(lose_answer=0.2, refuse=0.1, no_receipt=0.3)
    runs = [[by_settings(faults, n, random) for n in range(2000)] for random in (Random(5), Random(5), Random(6))]
    assert runs[0] == runs[1] != runs[2]
    refused = sum(verdict.status != 0 for verdict in runs[0])
    lost = sum(verdict.status == 0 and not verdict.answers for verdict in runs[0])
    assert 150 <= refused <= 250
    assert 300 <= lost <= 420


def test_no_share_no_fault() -> None:
    assert all(by_settings(Faults(), n, Random(n)) == FINE for n in range(100))


def test_throttle_counts_by_the_second() -> None:
    throttle = Throttle()
    assert [throttle.passes(now, 2) for now in (10.0, 10.5, 10.9, 11.0, 11.1, 11.2)] == [True, True, False] * 2
    assert all(throttle.passes(11.3, 0) for _ in range(5))


def test_ids_are_never_given_twice_even_after_a_restart() -> None:
    first = MessageStates(1_000.0)
    ids = [first.allot(2, 1_000.0) for _ in range(10)]
    ids += [MessageStates(1_001.0).allot(2, 1_001.0)]
    assert len(set(ids)) == 11


def test_final_date_is_the_standards() -> None:
    states = MessageStates(0.0)
    number = states.allot(2, 86_400.0)
    assert states.query(number, 86_399.0) == (1, "")
    assert states.query(number, 86_400.0) == (2, "700102000000000+")
    assert states.query(number + 1, 86_400.0) is None
