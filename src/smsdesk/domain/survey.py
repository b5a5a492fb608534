"""How it was, in the consumer's own words: a number from 1 to 5, however he writes it, and what he adds."""

import re
import unicodedata
from dataclasses import dataclass

WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
    "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5,
}  # fmt: skip
_STARS = re.compile(r"^([⭐★🌟])(?:\s*\1){0,4}(?![⭐★🌟])")
_UNIT = r"(?:\s*(?:/|out of|of|de)\s*(?:5|five|cinco)\b)?(?:[\s-]*(?:stars?|estrellas?|points?|puntos?)\b)?"
_KEYCAP = re.compile("[\ufe0f\u20e3]")
"""What makes a plain digit or star a picture of one."""
_NUMBER = re.compile(rf"^([1-5])(?:\.0)?(?![0-9]|[.,:][0-9]|\s*%){_UNIT}", re.IGNORECASE)
_WORD = re.compile(rf"^({'|'.join(WORDS)})\b{_UNIT}", re.IGNORECASE)
_UNIT_IN_WORDS = re.compile(r"(?:stars?|estrellas?|points?|puntos?|/|out of|de)\b|/", re.IGNORECASE)
_BETWEEN = re.compile(r"^(?:\s*[-–—,.:;!)]+\s*|\s+)")
_QUANTITY = re.compile(
    r"^\s*(?:am|pm|a\.m|p\.m|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|people|persons?|items?|boxes|tickets?|"
    r"of (?:us|them)|minutos?|horas?|d[ií]as?|personas?)\b",
    re.IGNORECASE,
)
"""What makes a leading number a quantity of something and no rating: such a text is for a person."""


_JUDGES = re.compile(
    r"\b(?:great|good|excellent|amazing|awesome|perfect|helpful|friendly|fantastic|wonderful|love[dl]?|thanks?|thx|"
    r"bad|terrible|awful|horrible|rude|slow|useless|worst|poor|disappoint\w*|gracias|excelente|perfecto|buen[oa]?|genial|"
    r"amable|mal[oa]?|p[eé]simo|horrible|lent[oa])\b",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\?|\b(?:but|still|need|want|please|when|where|how|why|what|who|can|could|would|will|call|send|help|order|refund|"
    r"cancel|"
    r"pero|todav[ií]a|necesito|quiero|por favor|cu[aá]ndo|d[oó]nde|c[oó]mo|puede[ns]?|llam\w*|pedido)\b|[0-9]",
    re.IGNORECASE,
)
MOST_WORDS = 12
"""A longer text has more to say than how it was."""


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """A rating from 1, the worst, to 5, and what was said beside it; words alone have none."""

    rating: int | None
    comment: str = ""


def read_answer(body: str) -> SurveyAnswer | None:
    """The answer that a text gives to "how was it, from 1 to 5"; None where it gives none, and is for a person.

    A rating comes first: `5`, `5/5`, `five stars`, `4 - very friendly`, four stars as emoji. A text that has its
    number elsewhere, counts something with it, or asks something beside it, is none: a rating that is lost is better
    than a question that is.
    """
    text = _KEYCAP.sub("", unicodedata.normalize("NFKC", body)).strip().strip("\"'“”").lstrip("#").strip()
    if stars := _STARS.match(text):
        rating = sum(stars.group(0).count(star) for star in "⭐★🌟")
        asks = _asks(text[stars.end() :])
        return SurveyAnswer(rating, _comment(text[stars.end() :])) if rating <= 5 and not asks else None
    found = _NUMBER.match(text)
    if found:
        rating = int(found.group(1))
    elif found := _WORD.match(text):
        rating = WORDS[found.group(1).lower()]
        # A word alone opens many a sentence: it rates only with its unit, or as the whole text.
        if not _UNIT_IN_WORDS.search(found.group(0)) and _comment(text[found.end() :]):
            return _read_words(text)
    else:
        return _read_words(text)
    rest = text[found.end() :]
    if _QUANTITY.match(rest) or (rest and not _BETWEEN.match(rest)):
        return None
    return None if _asks(rest) else SurveyAnswer(rating, _comment(rest))


def _asks(comment: str) -> bool:
    return any(mark in comment for mark in "?¿？")


def _read_words(text: str) -> SurveyAnswer | None:
    """Words that judge and want nothing: praise or blame, short, without a question, a request or a number."""
    if len(text.split()) > MOST_WORDS or not _JUDGES.search(text) or _WANTS.search(text):
        return None
    return SurveyAnswer(None, text)


def _comment(rest: str) -> str:
    return _BETWEEN.sub("", rest, count=1).lstrip(" -–—,.:;!)").strip()
