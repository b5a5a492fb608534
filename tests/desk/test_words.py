"""The desk's languages: every sentence has its translation, with the same placeholders, and times are written as the
language writes them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Message

from smsdesk.desk.words import best, languages, words
from tests.words import said, translated

OTHERS = [lang for lang in languages() if lang != "en"]


def placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", sentence))


def forms(message: Message) -> tuple[list[str], list[str]]:
    """The English forms of a sentence, and those of its translation."""
    english = message.id if isinstance(message.id, list | tuple) else [message.id]
    other = message.string if isinstance(message.string, list | tuple) else [message.string]
    return list(english), list(other)


def test_there_are_sentences() -> None:
    assert len(said()) > 100
    assert "es" in OTHERS


@pytest.mark.parametrize("lang", OTHERS)
def test_every_sentence_is_translated(lang: str) -> None:
    there = translated(lang)
    lacking = []
    for message in said():
        found = there.get(message.id, message.context) if message.id else None
        if message.id and (found is None or not all(forms(found)[1]) or found.fuzzy):
            lacking.append(message.id)
    assert not lacking, f"make words, then translate in {lang}: {lacking[:20]} ({len(lacking)} in all)"


@pytest.mark.parametrize("lang", OTHERS)
def test_no_translation_is_left_over_or_lost_a_placeholder(lang: str) -> None:
    known = {message.id if isinstance(message.id, str) else tuple(message.id) for message in said()}
    for message in translated(lang):
        if not message.id:
            continue
        english, other = forms(message)
        assert (english[0] if len(english) == 1 else tuple(english)) in known, f"nothing says {english}: make words"
        for form in other:
            assert placeholders(form) <= placeholders(" ".join(english)), (english, form)
            assert placeholders(english[0]) - {"{number}", "%(num)s", "%(count)s"} <= placeholders(form), (
                english,
                form,
            )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(["es-MX", "en"], "es"), ([None, "fr", "en-GB"], "en"), ([], "en"), (["../../etc"], "en"), (["ES"], "es")],
)
def test_the_best_language_is_one_that_there_is(wanted: list[str | None], found: str) -> None:
    assert best(wanted) == found


def test_times_are_those_of_the_readers_zone() -> None:
    at, zone = datetime(2026, 3, 2, 17, 20, tzinfo=UTC), ZoneInfo("America/New_York")
    assert words("en").clock(at, zone).replace("\u202f", " ") == "12:20 PM"
    assert words("es").clock(at, zone) == "12:20"
    assert (words("en").number(1234567), words("es").number(1234567)) == ("1,234,567", "1.234.567")
