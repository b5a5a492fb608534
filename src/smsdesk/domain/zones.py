"""Where a consumer may be, told by his number: every time zone that is plausible, and the state of the area code.

An area code is where a number was given out, not where its owner is: the best that a number tells. A zone that is known
of the consumer himself counts instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from smsdesk.domain.area_codes import STATES, ZONES


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phone may be."""

    zones: tuple[str, ...]
    """IANA zones, in the order of their names; none where nothing is known of the number."""
    state: str | None = None
    """The state of a US area code, as two letters."""


def place_of(number: str, time_zone: str | None = None) -> Place:
    """Where the phone of an E.164 number may be: in `time_zone` where that is known, else in each zone of its area code
    or country. A number of +1 that has no place, such as 800 or an area code that is newer than our data, may be in any
    zone of +1."""
    digits = number.removeprefix("+")
    if digits.startswith("1"):
        place = _places().get(digits[:4]) or _places()["1"]
    else:
        # No country code begins with another one.
        place = next((found for length in (1, 2, 3) if (found := _places().get(digits[:length]))), Place(()))
    return place if time_zone is None else Place((time_zone,), place.state)


@cache
def _places() -> Mapping[str, Place]:
    """By country code, and by the area codes of +1 with the 1 before them."""
    zones, states = _read(ZONES), _read(STATES)
    places = {prefix: Place(tuple(sorted(names)), *states.get(prefix, ())) for prefix, names in zones.items()}
    everywhere = {name for prefix, names in zones.items() if prefix.startswith("1") for name in names}
    return {**places, "1": Place(tuple(sorted(everywhere)))}


def _read(table: str) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in table.split("\n"):
        prefixes, _, names = line.partition(" = ")
        for prefix in prefixes.split():
            found.setdefault(prefix, set()).update(names.split())
    return found
