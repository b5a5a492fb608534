"""The command words: every word, case and dressing, and nothing that is a sentence."""

import pytest

from smsdesk.domain.consent import Words, help_answer, read_words, start_confirmation, stop_confirmation
from smsdesk.domain.segments import segment

STOPS = (
    "STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT", "OPT-OUT",
    "REMOVE",
)  # fmt: skip
DRESSINGS = ("{}", "  {} \n", "{}.", "{}!!", '"{}"', "“{}”", "'{}'", "({})", "{} 🙏", "-{}-", "\u200b{}", "*{}*")


@pytest.mark.parametrize("dressing", DRESSINGS)
@pytest.mark.parametrize("word", STOPS)
def test_stop_however_it_is_typed(word: str, dressing: str) -> None:
    for typed in (word, word.lower(), word.title(), word.swapcase()):
        assert read_words(dressing.format(typed), False) is Words.STOP
        assert read_words(dressing.format(typed), True) is Words.STOP


@pytest.mark.parametrize(
    ("body", "opted_out", "words"),
    [
        ("start", False, Words.START), ("Unstop.", True, Words.START), ("help?", False, Words.HELP),
        ("INFO", True, Words.HELP), ("yes", True, Words.START), ("yes", False, None), ("ＳＴＯＰ", False, Words.STOP),
        ("opt  -  out", False, Words.STOP), ("stop  all", False, Words.STOP),
        ("st\u200bop", False, Words.STOP), ("un\u00adsub\u00adscribe\u2060", False, Words.STOP),
    ],
)  # fmt: skip
def test_the_other_words(body: str, opted_out: bool, words: Words) -> None:
    assert read_words(body, opted_out) is words


@pytest.mark.parametrize(
    "body", ["", "...", "cancel my order", "stop by at 5", "the end", "yes please", "helpful", "stopp", "s t o p", "1"]
)
def test_a_sentence_is_for_a_person(body: str) -> None:
    assert read_words(body, False) is None
    assert read_words(body, True) is None


@pytest.mark.parametrize("make", [stop_confirmation, start_confirmation, help_answer])
@pytest.mark.parametrize("company", ["Acme", "Société Générale", "x" * 300, "Ἀκμή", "株式会社アクメ"])
def test_each_answer_is_one_part_and_names_the_company(make, company: str) -> None:  # type: ignore[no-untyped-def]
    text = make(company)
    assert text.startswith(company[:4]) or len(segment(company).parts[0]) < len(company) or not company.isascii()
    assert len(segment(text).parts) == 1


def test_what_each_answer_must_say() -> None:
    assert "Acme" in stop_confirmation("Acme")
    assert "START" in stop_confirmation("Acme")
    assert "rates may apply" in start_confirmation("Acme")
    assert "STOP" in start_confirmation("Acme")
    assert "STOP" in help_answer("Acme")
