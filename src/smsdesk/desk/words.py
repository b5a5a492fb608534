"""The desk's languages. The English words stand in the code; `locale/<lang>/LC_MESSAGES/desk.po` has the others."""

import io
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

_FOLDER = Path(__file__).parent / "locale"
NATIVE = "en"


@cache
def languages() -> dict[str, str]:
    """The languages that there are, each with its own name for itself."""
    names = [NATIVE, *sorted(path.parent.parent.name for path in _FOLDER.glob("*/LC_MESSAGES/desk.po"))]
    return {name: (Locale.parse(name).display_name or name).capitalize() for name in names}


def best(wanted: Iterable[str | None]) -> str:
    """The first wanted language that there is; English where there is none of them."""
    for name in wanted:
        short = (name or "").partition("-")[0].lower()
        if short in languages():
            return short
    return NATIVE


@cache
def words(lang: str) -> "Words":
    """The words of a language that `languages` has."""
    return Words(lang)


class Words:
    """What the desk says in one language, and how that language writes times and numbers."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._locale = Locale.parse(lang)
        self.translations = _translations(lang)
        self._clocks: dict[int, str] = {}

    def say(self, english: str, **values: object) -> str:
        """The sentence in this language; `{name}` in it is one of the values."""
        return self.translations.gettext(english).format(**values) if values else self.translations.gettext(english)

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """The sentence for so many; `{number}` in it is that."""
        said = self.translations.ngettext(one, many, number)
        return said.format(number=format_decimal(number, locale=self._locale), **values)

    def clock(self, at: datetime, zone: ZoneInfo) -> str:
        """The time of day, such as 5:20 PM."""
        local = at.astimezone(zone)
        key = local.hour * 60 + local.minute
        if key not in self._clocks:  # a thread writes dozens of them, and there are 1,440
            self._clocks[key] = format_time(local.time(), "short", locale=self._locale)
        return self._clocks[key]

    def day(self, at: datetime, zone: ZoneInfo) -> str:
        """The day, such as Mar 2, 2026."""
        return format_date(at.astimezone(zone).date(), "medium", locale=self._locale)

    def moment(self, at: datetime, zone: ZoneInfo) -> str:
        """Day and time of day."""
        return format_datetime(at, "medium", tzinfo=zone, locale=self._locale)

    def brief(self, at: datetime, zone: ZoneInfo, now: datetime) -> str:
        """The time of day where it is today, else the day with it, as short as it is clear."""
        local, today = at.astimezone(zone), now.astimezone(zone).date()
        if local.date() == today:
            return self.clock(at, zone)
        pattern = "MMMd" if local.year == today.year else "yMMMd"
        return f"{_skeleton(pattern, local, zone, self._locale)}, {self.clock(at, zone)}"

    def number(self, value: float) -> str:
        """A number with its separators."""
        return format_decimal(value, locale=self._locale)

    def percent(self, value: float) -> str:
        """A share of 1 as a percentage with at most one decimal."""
        return format_percent(value, format="#,##0.#%", locale=self._locale, decimal_quantization=True)


def _skeleton(pattern: str, at: datetime, zone: ZoneInfo, locale: Locale) -> str:
    return format_datetime(at, locale.datetime_skeletons[pattern], tzinfo=zone, locale=locale)


def _translations(lang: str) -> NullTranslations:
    if lang == NATIVE:
        return NullTranslations()
    with (_FOLDER / lang / "LC_MESSAGES" / "desk.po").open("rb") as source:
        catalog = read_po(source, locale=lang)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
