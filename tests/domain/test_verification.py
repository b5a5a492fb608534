"""One-time codes: how they are made, kept, and found in what a person writes."""

from random import Random

import pytest

from smsdesk.domain.segments import segment
from smsdesk.domain.verification import code_text, digest, find_codes, new_code


def test_codes_are_six_digits_that_use_all_of_them() -> None:
    chance = Random(1)
    codes = {new_code(chance.random) for _ in range(2_000)}
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(codes) > 1_990
    assert {digit for code in codes for digit in code} == set("0123456789")


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("123456", ["123456"]), ("123 456", ["123456"]), ("My code is 123-456.", ["123456"]),
        ("１２３４５６", ["123456"]), ("1234567", []), ("call 4155550100", []), ("12345", []), ("hello", []),
        ("111111 or 222222", ["111111", "222222"]),
    ],
)  # fmt: skip
def test_what_may_be_a_code(body: str, codes: list[str]) -> None:
    assert find_codes(body) == codes


def test_what_is_kept_fits_one_chat_of_one_tenant() -> None:
    kept = {digest(1, 2, "123456"), digest(1, 3, "123456"), digest(2, 2, "123456"), digest(1, 2, "123457")}
    assert len(kept) == 4
    assert all(b"123456" not in each for each in kept)


@pytest.mark.parametrize("lang", ["en", "es", "fr"])
def test_the_text_is_one_part_and_names_who_asks(lang: str) -> None:
    text = code_text("Acme", "123456", lang)
    assert len(segment(text).parts) == 1
    assert "Acme" in text
    assert find_codes(text) == ["123456"]
