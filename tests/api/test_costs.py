"""What left and what it cost: summed over HTTP, in exact decimals, in pages."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.kit.api import OURS, Api

COSTS = "/apps/api/v1/costs"
SECOND = "+16285550177"
USED = [
    # day, carrier, number of ours, currency, texts, segments, price
    (date(2026, 3, 1), 1, OURS, "USD", 2, 3, "0.023700"),
    (date(2026, 3, 2), 1, OURS, "USD", 1, 1, "0.007900"),
    (date(2026, 3, 2), 1, SECOND, "USD", 10, 10, "0.1"),
    (date(2026, 3, 2), 1, SECOND, "", 4, 8, "0"),
    (date(2026, 3, 2), 77, SECOND, "EUR", 1, 2, "0.14"),
    (date(2026, 1, 30), 1, OURS, "USD", 5, 5, "1"),
]


@pytest.fixture
async def used(api: Api) -> Api:
    """A tenant with some use behind it, and another tenant with use of its own."""
    for tenant_id, more in ((1, 1), (2, 1000)):
        await api.db.executemany(
            "insert into usage values ($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                (tenant_id, day, carrier, number, currency, texts * more, segments, Decimal(price))
                for day, carrier, number, currency, texts, segments, price in USED
            ],
        )
    return api


def row(group: str, currency: str | None, texts: int, segments: int, price: str | None) -> dict[str, Any]:
    return {"group": group, "currency": currency, "texts": texts, "segments": segments, "price": price}


async def test_by_day_of_the_last_thirty_days(used: Api) -> None:
    answer = await used.call("GET", COSTS)  # the clock stands at 2 March
    assert answer.json == [
        row("2026-03-01", "USD", 2, 3, "0.0237"),
        row("2026-03-02", "EUR", 1, 2, "0.14"),
        row("2026-03-02", "USD", 11, 11, "0.1079"),
        row("2026-03-02", None, 4, 8, None),
    ]
    assert answer.headers["total"] == "4"


async def test_by_carrier_and_by_number_between_two_days(used: Api) -> None:
    days = {"from": "2026-01-30", "to": "2026-03-01"}
    by_carrier = (await used.call("GET", COSTS, params={"by": "carrier", **days})).json
    assert by_carrier == [row("lab", "USD", 7, 8, "1.0237")]
    by_number = (await used.call("GET", COSTS, params={"by": "number", "from": "2026-03-02"})).json
    assert by_number == [
        row(SECOND, "EUR", 1, 2, "0.14"),
        row(SECOND, "USD", 10, 10, "0.1"),
        row(SECOND, None, 4, 8, None),
        row(OURS, "USD", 1, 1, "0.0079"),
    ]


async def test_a_carrier_that_is_gone_still_cost(used: Api) -> None:
    by_carrier = (await used.call("GET", COSTS, params={"by": "carrier", "from": "2026-03-02"})).json
    assert [one["group"] for one in by_carrier] == ["deleted carrier 77", "lab", "lab"]


async def test_pages(used: Api) -> None:
    pages = [await used.call("GET", COSTS, params={"page": page, "per": 3}) for page in (1, 2)]
    assert [len(page.json) for page in pages] == [3, 1]
    assert 'rel="next"' in pages[0].headers["link"]
    assert {page.headers["total"] for page in pages} == {"4"}


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"from": "yesterday"}, "from: "),
        ({"to": "2026-02-30"}, "to: "),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "from (2026-03-02) must not be after to (2026-03-01)"),
        ({"by": "agent"}, "by: "),
    ],
)
async def test_what_cannot_be_asked(used: Api, params: dict[str, str], says: str) -> None:
    answer = await used.call("GET", COSTS, params=params)
    assert (answer.status, says in answer.json["message"]) == (400, True), answer.json


async def test_the_first_day_there_is(used: Api) -> None:
    assert (await used.call("GET", COSTS, params={"to": "0001-01-01"})).json == []


async def test_costs_ask_who_you_are(used: Api) -> None:
    assert (await used.call("GET", COSTS, auth=None)).status == 401
    theirs = (await used.call("GET", COSTS, params={"by": "carrier"}, auth=("other", "other-secret"))).json
    assert {one["texts"] for one in theirs} == {13_000, 4_000, 1_000}
