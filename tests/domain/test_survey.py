"""Which texts rate a chat, and which are for a person."""

import pytest

from smsdesk.domain.survey import SurveyAnswer, read_answer


@pytest.mark.parametrize(
    ("body", "rating", "comment"),
    [
        ("5", 5, ""), (" 1 ", 1, ""), ("#4", 4, ""), ("5/5", 5, ""), ("4 out of 5", 4, ""), ("3 stars", 3, ""),
        ("five stars", 5, ""), ("Five", 5, ""), ("two", 2, ""), ("cinco estrellas", 5, ""), ("Uno", 1, ""),
        ("4 - very friendly", 4, "very friendly"), ("5. Great service!", 5, "Great service!"),
        ("5 stars, thank you", 5, "thank you"), ("2 but it took ages", 2, "but it took ages"), ("5!!!", 5, ""),
        ("Great service!", None, "Great service!"), ("very rude agent", None, "very rude agent"),

        ("Muchas gracias", None, "Muchas gracias"), ("⭐⭐⭐⭐", 4, ""), ("⭐️⭐️⭐️ ok", 3, "ok"), ("★★★★★", 5, ""),
        ("5️⃣", 5, ""), ("“5”", 5, ""), ("５", 5, ""),
    ],
)  # fmt: skip
def test_an_answer(body: str, rating: int | None, comment: str) -> None:
    assert read_answer(body) == SurveyAnswer(rating, comment)


@pytest.mark.parametrize(
    "body",
    [
        "", "?", "0", "6", "10", "55", "4.5", "5%", "3pm works for me", "2 people are coming", "5:30 is fine", "3 days",
        "2 of us", "one of your agents promised to call", "five more minutes please", "When will it be 5?", "STOP",
        "I would give it a 5",
        "Thanks, when does it arrive", "good but I still need help",
        "great. where is my order",
        "thank you so much for all of this it was really nice to talk to you and I",
        "gracias, pero ¿y mi pedido?", "⭐⭐⭐⭐⭐⭐", "1234567", "3 horas", "yes",
    ],
)  # fmt: skip
def test_no_rating(body: str) -> None:
    assert read_answer(body) is None
