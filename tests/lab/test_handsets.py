"""The pure parts: what handsets keep, what faults decide, what ids say."""

from random import Random

import pytest

from smsdesk.lab.faults import Faults
from smsdesk.lab.handsets import Handsets
from smsdesk.lab.journal import Journal
from smsdesk.lab.reading import Part, e164
from smsdesk.lab.states import MessageStates
from smsdesk.lab.submission import Submission
from smsdesk.lab.throttle import Throttle
from smsdesk.lab.verdict import FINE, by_faults
from smsdesk.lab.words import REPLY_WORDS, SUBMIT_WORDS, ReplyFate, Word, by_reply, by_text


def part(octets: bytes, number: int = 1, total: int = 1, reference: int = 0, data_coding: int = 0) -> Part:
    return Part("+16285550199", "+14155550100", octets, data_coding, "acme", reference, number, total)


def test_a_part_submitted_twice_is_counted_and_shown_once() -> None:
    handsets = Handsets()
    for at, (octets, number) in enumerate([(b"one ", 1), (b"one ", 1), (b"three", 3)]):
        assert handsets.join(part(octets, number, 3, 9), f"id{at}", float(at)) is None
    text = handsets.join(part(b"two ", 2, 3, 9), "id3", 3.0)
    assert text is not None
    assert (text.body, text.submits, text.carrier_ids) == ("one two three", (2, 1, 1), ("id0", "id3", "id2"))
    assert (text.first_at, text.at) == (0.0, 3.0)
    assert handsets.incomplete == 0


def test_a_part_after_the_text_was_whole_begins_another() -> None:
    handsets = Handsets()
    for number in (1, 2, 2):
        handsets.join(part(b"x", number, 2, 9), "id", 0.0)
    assert (len(handsets), handsets.incomplete) == (1, 1)


def test_parts_of_two_texts_do_not_mix() -> None:
    handsets = Handsets()
    handsets.join(part(b"a1", 1, 2, 1), "id", 0.0)
    handsets.join(part(b"b1", 1, 2, 2), "id", 0.0)
    first, second = (handsets.join(part(b"%d" % n, 2, 2, n), "id", 0.0) for n in (1, 2))
    assert first is not None
    assert second is not None
    assert (first.body, second.body) == ("a11", "b12")


def test_parts_in_two_codings_are_read_each_in_its_own() -> None:
    handsets = Handsets()
    handsets.join(part("ü".encode("latin-1"), 1, 2, 1, data_coding=3), "id", 0.0)
    text = handsets.join(part("ж".encode("utf-16-be"), 2, 2, 1, data_coding=8), "id", 0.0)
    assert text is not None
    assert text.body == "üж"


def test_an_empty_handset_goes_with_its_last_text() -> None:
    handsets = Handsets(limit=1)
    for at, (number, body) in enumerate([("+14155550100", "old"), ("+14155550101", "new")]):
        handsets.keep(Submission("smpp", "acme", "+16285550199", number, body, "gsm7"), ("id",), (1,), at, at)
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


@pytest.mark.parametrize("word", SUBMIT_WORDS, ids=lambda word: word.name)
def test_each_word_is_read_and_changes_something(word: Word) -> None:
    verdict = by_text(f"one {word.example} two")
    assert verdict not in (None, FINE)
    assert verdict == by_text(f"#{word.name}")


def test_words_add_up_and_the_later_counts() -> None:
    verdict = by_text("#slow:1 #undeliv:00a #decimalid #slow:3 #seconds")
    assert verdict is not None
    assert (verdict.answer_delay, verdict.stat, verdict.err) == (3.0, "UNDELIV", "00a")
    assert verdict.dialect == {"receipt_ids": "decimal", "dates": "seconds"}


@pytest.mark.parametrize("word", REPLY_WORDS, ids=lambda word: word.name)
def test_each_word_of_a_reply(word: Word) -> None:
    assert by_reply(f"yes {word.example}") not in (None, ReplyFate())
    assert by_reply("yes") is None


def test_shares_follow_the_seed() -> None:
    faults = Faults(lose_answer=0.2, refuse=0.1, no_receipt=0.3)
    runs = [[by_faults(faults, n, random) for n in range(2000)] for random in (Random(5), Random(5), Random(6))]
    assert runs[0] == runs[1] != runs[2]
    refused = sum(verdict.status != 0 for verdict in runs[0])
    lost = sum(verdict.status == 0 and verdict.answer == "none" for verdict in runs[0])
    assert 150 <= refused <= 250
    assert 300 <= lost <= 420


def test_no_share_no_fault() -> None:
    assert all(by_faults(Faults(), n, Random(n)) == FINE for n in range(100))


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


def test_a_journal_forgets_the_oldest_and_uses_no_index_again() -> None:
    journal: Journal[int] = Journal(128)
    gone = [entry for number in range(1, 300) for entry in journal.append(number)]
    assert (len(journal), journal.last_index) == (128 - 128 // 64 + (299 - 128) % 2, 299)
    assert gone + journal.after(0, 1000) == list(range(1, 300))
    assert journal.after(297, 1000) == [298, 299]
    assert journal.after(0, 2) == [gone[-1] + 1, gone[-1] + 2]
    assert journal.page(0, 2) == ([gone[-1] + 1, gone[-1] + 2], gone[-1] + 2)
    assert journal.page(299, 2) == ([], 299)
    assert journal.clear() == 299 - len(gone)
    assert journal.append(300) == []
    assert (journal.last_index, journal.after(299, 10)) == (300, [300])
