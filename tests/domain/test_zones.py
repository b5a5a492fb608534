"""Where a number may be: every plausible zone, from a table that is made and not written."""

from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from smsdesk.domain import area_codes
from smsdesk.domain.zones import Place, place_of
from tests.kit.area_codes import OVERLAYS, module

EAST, CENTRAL, MOUNTAIN, PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
DAKOTA, BOISE, ARIZONA = "America/North_Dakota/Center", "America/Boise", "America/Phoenix"
EVERY_AREA_CODE = [f"+1{area}5550100" for area in range(200, 1000)]


@pytest.mark.parametrize(
    ("area", "zones", "state"),
    [
        ("415", {PACIFIC}, "CA"),
        ("850", {CENTRAL, EAST}, "FL"),
        ("448", {CENTRAL, EAST}, "FL"),  # lies over 850
        ("812", {CENTRAL, EAST}, "IN"),
        ("930", {CENTRAL, EAST}, "IN"),
        ("317", {EAST}, "IN"),
        ("219", {CENTRAL, EAST}, "IN"),
        ("208", {BOISE, MOUNTAIN, PACIFIC}, "ID"),
        ("986", {BOISE, MOUNTAIN, PACIFIC}, "ID"),
        ("605", {CENTRAL, MOUNTAIN, DAKOTA}, "SD"),
        ("701", {CENTRAL, MOUNTAIN, DAKOTA}, "ND"),
        ("308", {CENTRAL, MOUNTAIN}, "NE"),
        ("906", {CENTRAL, EAST}, "MI"),
        ("423", {CENTRAL, EAST}, "TN"),
        ("541", {MOUNTAIN, PACIFIC}, "OR"),
        ("458", {MOUNTAIN, PACIFIC}, "OR"),
        ("602", {ARIZONA}, "AZ"),
        ("928", {ARIZONA, MOUNTAIN}, "AZ"),  # the Navajo Nation changes its clocks, the rest of Arizona does not
        ("915", {MOUNTAIN}, "TX"),
        ("713", {CENTRAL}, "TX"),
        ("202", {EAST}, "DC"),
        ("907", {"America/Adak", "America/Anchorage", "America/Juneau", "Pacific/Honolulu"}, "AK"),
        ("808", {"Pacific/Honolulu"}, "HI"),
        ("787", {"America/Puerto_Rico"}, None),
        ("939", {"America/Puerto_Rico"}, None),
        ("671", {"Pacific/Guam"}, None),
        ("684", {"Pacific/Pago_Pago"}, None),
        ("778", {"America/Edmonton", "America/Vancouver"}, None),
        ("306", {"America/Regina"}, None),
    ],
)
def test_an_area_code_is_in_each_of_its_zones(area: str, zones: set[str], state: str | None) -> None:
    assert place_of(f"+1{area}5550100") == Place(tuple(sorted(zones)), state)


def test_a_zone_that_is_known_of_the_consumer_counts_and_the_state_of_the_number_stays() -> None:
    assert place_of("+18505550100", CENTRAL) == Place((CENTRAL,), "FL")


def test_a_number_of_no_place_may_be_anywhere_in_its_plan() -> None:
    everywhere = {zone for number in EVERY_AREA_CODE if (zones := place_of(number).zones)[5:] == () for zone in zones}
    assert len(everywhere) > 35
    for number in ("+18005550100", "+15005550100", "+19995550100"):
        assert place_of(number) == Place(tuple(sorted(everywhere)))


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+390212345678", {"Europe/Rome"}),
        ("+447911123456", {"Europe/London", "Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey"}),
        ("+351912345678", {"Europe/Lisbon", "Atlantic/Madeira", "Atlantic/Azores"}),
        ("+50588887777", {"America/Managua"}),
        ("+212612345678", {"Africa/Casablanca", "Africa/El_Aaiun"}),
        ("+80012345678", set()),
        ("", set()),
    ],
)
def test_another_country_is_all_of_its_zones(number: str, zones: set[str]) -> None:
    # The Vatican and San Marino share Italy's clocks, and its code with the first.
    assert set(place_of(number).zones) - {"Europe/Vatican", "Europe/San_Marino"} == zones


def test_every_us_area_code_is_in_a_state_or_a_territory() -> None:
    for number in EVERY_AREA_CODE:
        place = place_of(number)
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
        assert (place.state is not None) == (region == "US" and len(place.zones) < 40), number


def test_an_overlay_is_where_the_area_code_under_it_is() -> None:
    for code, under in OVERLAYS.items():
        assert set(place_of(f"+1{code}5550100").zones) >= set(place_of(f"+1{under}5550100").zones)


def test_every_zone_is_one() -> None:
    for line in area_codes.ZONES.strip().split("\n"):
        for zone in line.partition(" = ")[2].split():
            assert ZoneInfo(zone).key == zone


def test_the_table_is_what_the_command_makes() -> None:
    assert version("phonenumbers") == version("phonenumberslite"), "lock both at the same release"
    path = area_codes.__file__
    assert path is not None
    assert Path(path).read_text(encoding="utf-8") == module()
