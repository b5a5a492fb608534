"""The texts that a queue sends by itself, and what is filled in."""

import re
from datetime import UTC, date, datetime

import pytest

from smsdesk.domain.hours import Hours
from smsdesk.domain.queue_settings import TEXTS, QueueSettings
from smsdesk.domain.segments import segment
from smsdesk.domain.wordings import VARIABLES, fill, of_queue, template_of

OFFICE = Hours("America/New_York", {day: [("09:00", "17:00")] for day in ("mon", "tue", "wed", "thu", "fri")})
ORDINARY = dict.fromkeys(VARIABLES, "Acme Hardware") | {"MENU": "1 Billing\n2 Orders", "EWT_minutes": "12"}


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_of_ours_is_one_part_of_gsm(name: str, lang: str) -> None:
    template = template_of(QueueSettings(), name, lang)
    assert set(re.findall(r"@\{(\w+)\}", template)) <= set(VARIABLES)
    reopening = of_queue(QueueSettings(hours=OFFICE), datetime(2026, 9, 30, 22, tzinfo=UTC), lang)
    segments = segment(fill(template, {**ORDINARY, **reopening}, lang))
    assert (segments.encoding, len(segments.parts)) == ("gsm7", 1 if template else len(segments.parts))


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("Recurring", "rates may apply", "HELP", "STOP")), ("es", ("recurrentes", "tarifas", "HELP", "STOP"))],
)
def test_the_greeting_says_what_the_first_text_has_to_say(lang: str, words: tuple[str, ...]) -> None:
    """CTIA principles 5.1: the brand, that it recurs, that rates may apply, help, and how to stop."""
    greeting = fill(template_of(QueueSettings(), "greeting", lang), {"COMPANY_NAME": "Acme"}, lang)
    assert greeting.startswith("Acme: ")
    assert all(word in greeting for word in words)


def test_a_queue_has_its_own_texts_and_an_empty_one_is_none() -> None:
    settings = QueueSettings(texts={"greeting": "Hi!", "hold": ""})
    assert template_of(settings, "greeting", "es") == "Hi!"
    assert template_of(settings, "hold", "en") == ""
    assert template_of(settings, "exit", "en") == template_of(QueueSettings(), "exit", "en") != ""


def test_a_language_that_we_do_not_speak_gets_english() -> None:
    assert template_of(QueueSettings(), "hold", "fr") == template_of(QueueSettings(), "hold", "en")
    assert template_of(QueueSettings(), "hold", "es-MX") == template_of(QueueSettings(), "hold", "es")


@pytest.mark.parametrize(
    ("template", "lang", "text"),
    [
        ("Hi @{END_USER}", "en", "Hi Customer"),
        ("Hola @{END_USER}", "es", "Hola Cliente"),
        ("Wait @{EWT_minutes} minutes", "en", "Wait a few minutes"),
        ("Espere @{EWT_minutes} minutos", "es", "Espere unos minutos"),
        ("We open at @{NEXT_REOPEN_HOUR}", "en", "We open at a later time"),
        ("@{COMPANY_NAME}, @{UNKNOWN}, @{company_name}, @{}, @{", "en", "Acme, @{UNKNOWN}, @{company_name}, @{}, @{"),
        ("I am @{AGENT_NAME}.", "en", "I am ."),
        ("@{QUEUE} @{QUEUE_NAME}", "en", "@{MENU} @{MENU}"),
    ],
)
def test_filling(template: str, lang: str, text: str) -> None:
    values = {"COMPANY_NAME": "Acme", "QUEUE": "@{MENU}", "QUEUE_NAME": "@{MENU}"}
    assert fill(template, values, lang) == text


@pytest.mark.parametrize(
    ("at", "lang", "words"),
    [
        (datetime(2026, 3, 6, 23, tzinfo=UTC), "en", "9:00 AM EDT on Monday, March 9"),
        (datetime(2026, 3, 9, 1, tzinfo=UTC), "en", "9:00 AM EDT on Monday, March 9"),
        (datetime(2026, 3, 6, 1, tzinfo=UTC), "en", "9:00 AM EST on Friday, March 6"),
        (datetime(2026, 3, 6, 1, tzinfo=UTC), "es", "9:00 a. m. EST del 6 de marzo"),
    ],
)
def test_the_next_opening_is_told_by_the_clock_of_its_place(at: datetime, lang: str, words: str) -> None:
    assert of_queue(QueueSettings(hours=OFFICE), at, lang)["NEXT_REOPEN_HOUR"] == words


def test_noon_and_midnight_have_twelve_hours() -> None:
    for begin, words in (("00:00", "12:00 AM"), ("12:30", "12:30 PM"), ("13:00", "1:00 PM")):
        hours = Hours("America/Chicago", {}, {date(2026, 7, 4): [(begin, "24:00")]})
        told = of_queue(QueueSettings(hours=hours), datetime(2026, 7, 1, tzinfo=UTC), "en")["NEXT_REOPEN_HOUR"]
        assert told == f"{words} CDT on Saturday, July 4"


def test_a_queue_that_never_opens_names_no_time() -> None:
    assert "NEXT_REOPEN_HOUR" not in of_queue(
        QueueSettings(hours=Hours("UTC", {})), datetime(2026, 3, 6, tzinfo=UTC), "en"
    )


@pytest.mark.parametrize(
    ("minutes", "lang", "words"),
    [
        (30, "en", "30 minutes"), (60, "en", "1 hour"), (90, "en", "90 minutes"), (2880, "en", "2 days"),
        (1, "es", "1 minuto"), (120, "es", "2 horas"), (1440, "es", "24 horas"),
    ],
)  # fmt: skip
def test_the_time_until_dismissal(minutes: int, lang: str, words: str) -> None:
    at = datetime(2026, 3, 6, tzinfo=UTC)
    assert of_queue(QueueSettings(dismissal_minutes=minutes), at, lang)["TIME_UNTIL_DISMISSAL"] == words
