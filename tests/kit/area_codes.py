"""Makes `src/smsdesk/domain/area_codes.py` out of the metadata of phonenumbers (the full package) and tzdata:

.venv/bin/python -m tests.kit.area_codes > src/smsdesk/domain/area_codes.py
"""

import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from importlib import resources

import phonenumbers
import tzdata
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

OVERLAYS = {
    "236": "250", "257": "250", "364": "270", "367": "418", "448": "850", "458": "541", "531": "402", "581": "418",
    "672": "250", "778": "250", "782": "902", "879": "709", "930": "812", "986": "208",
}  # fmt: skip
"""Area codes that lie over another one of several zones, where the metadata may know fewer of them (NANPA, area code
maps: https://www.nanpa.com)."""

STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID",
    "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME",
    "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO",
    "Montana": "MT", "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM",
    "New York": "NY", "North Carolina": "NC", "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR",
    "Pennsylvania": "PA", "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN",
    "Texas": "TX", "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington State": "WA", "Washington D.C.": "DC",
    "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY",
}  # fmt: skip

_HEAD = '''"""Where an area code of +1 is, and a country code. Made by `python -m tests.kit.area_codes`, not by hand.

Area codes are from the metadata of phonenumbers {phonenumbers}, which follows Google's libphonenumber (Apache-2.0),
with its gaps at overlays closed; countries from the zone table of IANA's tz database {tz}. A line gives each prefix on
its left each zone, or the state, on its right.
"""
'''


def zones() -> dict[str, set[str]]:
    """The zones of each area code of +1 (`1` before it) and of each country code."""
    found: dict[str, set[str]] = defaultdict(set)
    for prefix, names in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            found[prefix[:4]].update(names)
    for code, under in OVERLAYS.items():
        found[f"1{code}"] |= found[f"1{under}"]
    in_country = _zone_table()
    for country_code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        prefix = str(country_code)
        # Some of the metadata's zones for countries have other clocks than the country. Two have no line in the table.
        names = {name for region in regions for name in in_country.get(region, ())} or TIMEZONE_DATA.get(prefix, ())
        if prefix != "1" and names:
            found[prefix].update(names)
    return found


def _zone_table() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for line in (resources.files(tzdata) / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            region, _, name = line.split("\t")[:3]
            found[region].add(name)
    return found


def states() -> dict[str, str]:
    """The state of each area code that is in one: as the metadata has it, else that of most of its towns."""
    of_state: dict[str, Counter[str]] = defaultdict(Counter)
    for prefix, names in GEOCODE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            name = names["en"]
            state = STATES.get(name) or name.rpartition(", ")[2]
            if state in STATES.values():
                of_state[prefix[:4]][state] += 1_000_000 if len(prefix) == 4 else 1
    return {prefix: counted.most_common(1)[0][0] for prefix, counted in of_state.items()}


def module() -> str:
    """The whole module, as it stands in the tree."""
    both = ("ZONES", _lines(zones())), ("STATES", _lines({code: {state} for code, state in states().items()}))
    tables = "".join(f'\n{name} = """\n' + "\n".join(lines) + '\n"""\n' for name, lines in both)
    return _HEAD.format(phonenumbers=phonenumbers.__version__, tz=tzdata.IANA_VERSION) + tables


def _lines(found: Mapping[str, set[str]]) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for prefix, names in found.items():
        alike[tuple(sorted(names))].append(prefix)
    for names, prefixes in sorted(alike.items(), key=lambda one: min(one[1])):
        for some in textwrap.wrap(" ".join(sorted(prefixes)), 60):
            for others in textwrap.wrap(" ".join(names), 116 - len(some), break_on_hyphens=False):
                yield f"{some} = {others}"


if __name__ == "__main__":
    sys.stdout.write(module())
