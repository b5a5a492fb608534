"""Phone numbers as people write them, and E.164 as everything behind reads them."""

import re
from collections.abc import Callable
from enum import Enum
from functools import cache, lru_cache
from typing import NewType

import phonenumbers

Number = NewType("Number", str)
"""E.164 with the plus, valid, in a region that was allowed: `+14155550100`."""


class NumberProblem(Enum):
    """Why a number was not taken."""

    INVALID = "invalid"
    REGION = "region"


US_ONLY = frozenset({"US"})
LONGEST = 64
"""Characters. E.164 has 15 digits; the rest is room for what people put between them."""

# The library keeps the territories of the United States as regions of their own.
_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "VI"})

# Marks without a width come along when a number is copied from an address book or a page.
_UNSEEN = dict.fromkeys(
    [0x00AD, 0x2060, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_GAP = r"[ \t\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000().\-\u2010-\u2015\u2212\uFE58\uFE63\uFF0D/]"
_WRITTEN = re.compile(rf"{_GAP}*([+\uFF0B]?)((?:{_GAP}|\d)+)")
_GAPS = re.compile(rf"{_GAP}+")
_PLAIN = re.compile(r"(\+?1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]?([2-9][0-9]{2})[ .-]?([0-9]{4})")


def read_number(
    raw: str, allowed_regions: frozenset[str] = US_ONLY, default_region: str | None = None
) -> Number | NumberProblem:
    """Reads a number as a person writes it: spaces, dashes, dots, slashes and parentheses may stand anywhere.

    Without a plus it is a national number of `default_region`, which is the US where that is allowed, else the first
    allowed region in the alphabet. Another country's code is REGION, whether the rest is a number there or not, and so
    is a number of a `+1` region that is not allowed; the US includes its territories. Extensions, letters, short
    codes and more than 64 characters are INVALID. Never raises. libphonenumber's metadata decides what is a number.
    """
    if len(raw) > LONGEST:
        return NumberProblem.INVALID
    if "US" in allowed_regions and (plain := _PLAIN.fullmatch(raw)):
        lead, area, exchange, line = plain.groups()
        national = area + exchange + line
        if (default_region in (None, "US") or (lead and lead[0] == "+")) and _is_us()(national):
            return Number("+1" + national)
    return _read(raw, allowed_regions, default_region)


@cache
def _is_us() -> Callable[[str], object]:
    """The library's own test for a US number of ten digits, as one pattern.

    The library asks the US first among the regions of `+1` and gives the number to it when any of its kinds matches.
    """
    region = phonenumbers.PhoneMetadata.metadata_for_region("US")
    if region is None or region.general_desc is None:  # pragma: no cover - a library without the US is not installed
        raise RuntimeError("phonenumbers has no metadata for the US: install phonenumberslite again")
    kinds = (
        region.premium_rate, region.toll_free, region.shared_cost, region.voip, region.personal_number,
        region.pager, region.uan, region.voicemail, region.fixed_line, region.mobile,
    )  # fmt: skip
    patterns = {kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern}
    any_kind = "|".join(f"(?:{pattern})" for pattern in sorted(patterns))
    return re.compile(rf"(?=(?:{region.general_desc.national_number_pattern})\Z)(?:{any_kind})").fullmatch


@lru_cache(maxsize=4096)
def _read(raw: str, allowed_regions: frozenset[str], default_region: str | None) -> Number | NumberProblem:
    """The full parse. Foreign country codes are told apart before it, since their numbers need not be valid."""
    written = _WRITTEN.fullmatch(raw.strip().translate(_UNSEEN))
    if written is None:
        return NumberProblem.INVALID
    digits = "".join(str(int(digit)) for digit in _GAPS.sub("", written[2]))
    regions = allowed_regions | _TERRITORIES if "US" in allowed_regions else allowed_regions
    codes = {phonenumbers.country_code_for_region(region) for region in regions}
    if written[1] and (code := _country_code(digits)) and code not in codes:
        return NumberProblem.REGION
    default = default_region or ("US" if "US" in allowed_regions else min(allowed_regions, default=None))
    try:
        parsed = phonenumbers.parse("+" + digits if written[1] else digits, default)
    except phonenumbers.NumberParseException:
        return NumberProblem.INVALID
    if parsed.country_code not in codes:
        return NumberProblem.REGION
    region = phonenumbers.region_code_for_number(parsed)
    if region is not None and region not in regions:
        return NumberProblem.REGION
    if region is None or not phonenumbers.is_valid_number_for_region(parsed, region):
        return NumberProblem.INVALID
    return Number(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _country_code(digits: str) -> int | None:
    """The country code that international digits begin with. No code is the beginning of another (ITU-T E.164)."""
    for length in (1, 2, 3) if digits[:1] != "0" else ():
        code = int(digits[:length] or 0)
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code
    return None


@lru_cache(maxsize=4096)
def written(number: str) -> str:
    """A number of E.164 as people read it, such as `+1 415-555-0100`; what is none, such as a short code, as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
