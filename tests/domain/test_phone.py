"""Numbers are read as people write them, and libphonenumber is the judge."""

import random
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdesk.domain import phone
from smsdesk.domain.phone import US_ONLY, NumberProblem, read_number

INVALID, REGION = NumberProblem.INVALID, NumberProblem.REGION
US_AND_TERRITORIES = {"US", "AS", "GU", "MP", "PR", "VI"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("+1 415-555-0100", "+14155550100"),
        ("+1 628-555-0199", "+16285550199"),
        ("4155550100", "+14155550100"),
        ("14155550100", "+14155550100"),
        ("(415) 555-0100", "+14155550100"),
        ("415.555.0100", "+14155550100"),
        ("  415/555 0100\t", "+14155550100"),
        ("(+1) 415 555 0100", "+14155550100"),
        ("+1\u00a0415\u2009555\u20110100", "+14155550100"),
        ("\u202a+1 415\u200b555 0100\u202c", "+14155550100"),
        ("\uff0b\uff11 \uff14\uff11\uff15 555 0100", "+14155550100"),
        ("+1 800-555-0199", "+18005550199"),
        ("+1 787-555-0100", "+17875550100"),
        ("+1 671-555-0100", "+16715550100"),
        ("12345", INVALID),
        ("", INVALID),
        ("+", INVALID),
        ("+1", INVALID),
        ("++1 415-555-0100", INVALID),
        ("1+415-555-0100", INVALID),
        ("+1 415-555-0100 x5", INVALID),
        ("+1 415-555-0100;ext=5", INVALID),
        ("+1 415-555-0100,5", INVALID),
        ("1-800-FLOWERS", INVALID),
        ("tel:+1-415-555-0100", INVALID),
        ("+1 415-155-0100", INVALID),
        ("+1 787-155-0100", INVALID),
        ("+0 415-555-0100", INVALID),
        ("+041 555 0100", INVALID),
        ("+999 555 0100", INVALID),
        ("415\x00555\x000100", INVALID),
        ("415\n555\n0100", INVALID),
        ("\ud800", INVALID),
        ("+82 000-000-0000", REGION),
        ("+82 1", REGION),
        ("+44 20 7946 0958", REGION),
        ("011 82 2 312 3456", REGION),
        ("+800 1234 5678", REGION),
        ("+1 416-555-0100", REGION),
        ("416-555-0100", REGION),
        ("+1 876-555-0100", REGION),
        ("+1 876-155-0100", REGION),
    ],
)
def test_reads_what_people_write_for_the_us(raw: str, expected: str | NumberProblem) -> None:
    assert read_number(raw, US_ONLY) == expected


@pytest.mark.parametrize(
    ("raw", "regions", "default", "expected"),
    [
        ("020 7946 0958", {"GB", "IE"}, None, "+442079460958"),
        ("+44 (0)20 7946 0958", {"GB"}, None, "+442079460958"),
        ("+1 415-555-0100", {"GB"}, None, REGION),
        ("+1 416-555-0100", {"CA"}, None, "+14165550100"),
        ("+1 415-555-0100", {"CA"}, None, REGION),
        ("+1 787-555-0100", {"PR"}, None, "+17875550100"),
        ("+1 415-555-0100", {"PR"}, None, REGION),
        ("415-555-0100", {"DE", "US"}, None, "+14155550100"),
        ("030 901820", {"DE", "US"}, "DE", "+4930901820"),
        ("+1 415-555-0100", {"DE", "US"}, "DE", "+14155550100"),
        ("+39 02 1234 5678", {"IT"}, None, "+390212345678"),
        ("+1 415-555-0100", set(), None, REGION),
        ("415-555-0100", set(), None, INVALID),
    ],
)
def test_a_tenant_may_allow_other_regions(
    raw: str, regions: set[str], default: str | None, expected: str | NumberProblem
) -> None:
    assert read_number(raw, frozenset(regions), default) == expected


def test_a_national_number_belongs_to_the_default_region() -> None:
    both = frozenset({"DE", "US"})
    assert read_number("4155550100", both) == "+14155550100"
    assert read_number("4155550100", both, "DE") != "+14155550100"


def as_the_library_says(raw: str) -> str | NumberProblem:
    try:
        number = phonenumbers.parse(raw, "US")
    except phonenumbers.NumberParseException:
        return INVALID
    region = phonenumbers.region_code_for_number(number)
    if number.country_code != 1 or (region is not None and region not in US_AND_TERRITORIES):
        return REGION
    if not phonenumbers.is_valid_number(number):
        return INVALID
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def written_somehow(chance: random.Random, area: int) -> str:
    """A number of this area, in one of many spellings; one in five with a digit changed, lost or too many."""
    digits = f"{area:03}{chance.choice((chance.randrange(1000), 555)):03}{chance.randrange(10_000):04}"
    lead = chance.choice(("+1", "+1 ", "+1-", "1", "1 ", "1.", "", "", "(+1) "))
    gap = chance.choice(("", " ", "-", ".", "\u00a0", "\u2011", " - "))
    area_code = chance.choice((digits[:3], f"({digits[:3]})"))
    text = f"{lead}{area_code}{gap}{digits[3:6]}{gap}{digits[6:]}"
    if chance.random() < 0.2:
        place = chance.randrange(1, len(text))
        text = text[:place] + chance.choice(("", str(chance.randrange(10)))) + text[place + chance.randrange(2) :]
    return text


@pytest.mark.parametrize("part", range(4))
def test_the_fast_path_and_the_library_never_differ(part: int) -> None:
    chance = random.Random(part)
    numbers = [written_somehow(chance, area) for area in range(1000) for _ in range(25)]
    answers = [read_number(raw) for raw in numbers]
    differing = [raw for raw, answer in zip(numbers, answers, strict=True) if answer != as_the_library_says(raw)]
    accepted = sum(isinstance(answer, str) for answer in answers)
    assert differing == []
    assert accepted > len(numbers) // 10  # the sample reaches both answers


@given(st.one_of(st.text(), st.text(alphabet="+0123456789 -().x\u00a0\uff0b\u0661", max_size=24)), st.booleans())
def test_any_text_gets_an_answer_and_an_answer_reads_as_itself(raw: str, europe: bool) -> None:
    regions = frozenset({"DE", "GB"}) if europe else US_ONLY
    number = read_number(raw, regions)
    if isinstance(number, str):
        assert re.fullmatch(r"\+[1-9][0-9]{1,14}", number)
        assert read_number(number, regions) == number


def test_a_plain_us_number_needs_no_full_parse() -> None:
    parsed = phone._read.cache_info().misses
    for line in range(100):
        assert read_number(f"+1 212-555-{line:04}") == f"+1212555{line:04}"
    assert phone._read.cache_info().misses == parsed


def test_long_text_is_refused_before_it_is_read() -> None:
    assert read_number("+1 415-555-0100" + " " * 49) == "+14155550100"
    assert read_number("+1 415-555-0100" + " " * 50) == INVALID
    assert read_number("1" * 10_000) == INVALID
