"""Price lists: read, compared by what is in them, stored exactly, taken away; and every mistake with its line."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smsdesk.actions.apply_setup import apply_setup
from smsdesk.actions.plan_setup import plan_setup
from smsdesk.domain.price import Rates, SegmentPrice, written
from smsdesk.domain.setup import State
from smsdesk.setup.faults import SetupError
from smsdesk.setup.plan import as_json, render
from smsdesk.store.db import Database
from smsdesk.store.setup import read_state
from smsdesk.store.tenants import versions
from tests.setup.kit import NOW, chance, judged, setup_file

FILE = "tenant: acme\ncarriers: [{name: lab, type: lab, rates: rates.csv}]"
HEADER = "prefix,price,currency\n"
LIST = f"{HEADER}1,0.0079,USD\n+1246,0.25,USD\n\n,0.1,USD\n"
FIRST = "the first line must be prefix,price,currency, with commas"
NO_PREFIX = "is no prefix: write the first digits of the numbers, or nothing for all others"
NO_PRICE = "is no price of a segment: write a decimal number, such as 0.0079"


async def apply(db: Database, folder: Path, text: str = FILE) -> list[str]:
    """Applies a text that stands in the folder; the plan's lines."""
    plans = await plan_setup(db, setup_file(text, folder=folder), chance)
    for each in plans:
        await apply_setup(db, each, NOW)
    return [line for each in plans for line in render(each)]


def mistakes(folder: Path) -> list[str]:
    """What is wrong with the file and its list."""
    return SetupError("setup.yaml", judged(FILE, State("acme"), folder).faults).lines()


async def rates(db: Database) -> Any:
    async with db.connection() as conn:
        return (await read_state(conn, "acme")).things["carrier", "lab"].get("rates")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """The folder of the price list."""
    (tmp_path / "rates.csv").write_text(LIST)
    return tmp_path


async def test_a_list_is_stored_exactly_and_once(db: Database, listed: Path) -> None:
    assert (await apply(db, listed))[-3:-1] == ['      type: "lab"', "      rates: 3 prices in USD"]
    assert await rates(db) == Rates("USD", {"1": Decimal("0.0079"), "1246": Decimal("0.25"), "": Decimal("0.1")})
    assert await apply(db, listed) == ["tenant acme: nothing to change"]
    (listed / "rates.csv").rename(listed / "other.csv")
    text = FILE.replace("rates.csv", str(listed / "other.csv"))
    assert await apply(db, listed, text) == ["tenant acme: nothing to change"]  # the same prices under another name


async def test_a_file_that_does_not_name_the_list_keeps_it_and_null_takes_it_away(db: Database, listed: Path) -> None:
    await apply(db, listed)
    await apply(db, listed, "tenant: acme\ncarriers: [{name: lab, host: h}]")
    assert await rates(db) is not None
    away = "tenant: acme\ncarriers: [{name: lab, rates: null}]"
    assert (await apply(db, listed, away))[2] == "      rates: 3 prices in USD -> null"
    assert await rates(db) is None
    assert await apply(db, listed, away) == ["tenant acme: nothing to change"]
    async with db.connection() as conn:
        assert await conn.fetchval("select count(*) from rates") == 0
        assert await conn.fetchval("select currency from carriers") is None


async def test_another_price_is_a_change_that_servers_see(db: Database, listed: Path) -> None:
    await apply(db, listed)
    async with db.connection() as conn:
        before = await versions(conn)
    (listed / "rates.csv").write_text("prefix,price,currency\n1,0.008,USD\n44,0.04,USD\n49,0.07,USD\n,0.100,USD\n")
    (planned,) = await plan_setup(db, setup_file(FILE, folder=listed), chance)
    assert render(planned)[2] == "      rates: 3 prices in USD -> 4 prices in USD (2 new, 1 changed, 1 gone)"
    (change,) = as_json(planned)["changes"]
    assert change["fields"] == {"rates": {"old": "3 prices in USD", "new": "4 prices in USD"}}
    await apply_setup(db, planned, NOW)
    async with db.connection() as conn:
        assert await versions(conn) != before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", f"rates.csv:1: {FIRST}"),
        ("1,0.0079,USD\n", f"rates.csv:1: {FIRST}"),
        ("prefix;price;currency\n", f"rates.csv:1: {FIRST}"),
        (HEADER, "rates.csv holds no price: add a line such as 1,0.0079,USD, or write rates: null"),
        (f"{HEADER}1\n", "rates.csv:2: has 1 columns: write prefix, price and currency"),
        (f"{HEADER}1a,1,USD\n", f'rates.csv:2: "1a" {NO_PREFIX}'),
        (f"{HEADER}+,1,USD\n", f'rates.csv:2: "+" {NO_PREFIX}'),
        (f"{HEADER}1,-1,USD\n", f'rates.csv:2: "-1" {NO_PRICE}'),
        (f'{HEADER}1,"0,01",USD\n', f'rates.csv:2: "0,01" {NO_PRICE}'),
        (f"{HEADER}1,0.0000001,USD\n", f'rates.csv:2: "0.0000001" {NO_PRICE}'),
        (f"{HEADER}1,1,usd\n", 'rates.csv:2: "usd" is no currency: write its three letters, such as USD'),
        (f"{HEADER}\n1,1,USD\n44,1,GBP\n",
         "rates.csv:4: is in GBP, and the lines above in USD: one file has one currency"),
        (f"{HEADER}1,1,USD\n+1,2,USD\n", 'rates.csv:3: the prefix "+1" stands in line 2 already: keep one of them'),
        (f"{HEADER},1,USD\n,2,USD\n", 'rates.csv:3: the prefix "" stands in line 2 already: keep one of them'),
        (f'{HEADER}1,"1,USD\n', "rates.csv is not CSV: unexpected end of data"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "rates.csv").write_text(content)
    assert mistakes(tmp_path) == [f"setup.yaml:2:42: carriers[0].rates: {says}"]


def test_all_mistakes_of_a_list_are_said_in_the_order_of_its_lines(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text(HEADER + "".join(f"{n},x,USD\n" for n in range(1, 40)))
    found = [line.split("rates.csv:")[1].partition(":")[0] for line in mistakes(tmp_path)]
    assert found == [str(n) for n in range(2, 22)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "rates.csv cannot be read (No such file or directory): a relative path starts from "),
        (b"prefix,price,currency\n\xff", "rates.csv cannot be read (not UTF-8)"),
        (b" " * (8 * 1024 * 1024 + 1), "rates.csv has more than 8,388,608 bytes"),
    ],
)
def test_a_list_that_cannot_be_read(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "rates.csv").write_bytes(content)
    (line,) = mistakes(tmp_path)
    assert says in line


async def test_a_list_of_a_spreadsheet(db: Database, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_bytes(b'\xef\xbb\xbfPrefix, Price ,"Currency"\r\n1 , 0.5,USD\r\n,,\r\n')
    await apply(db, tmp_path)
    assert await rates(db) == Rates("USD", {"1": Decimal("0.5")})


@pytest.mark.parametrize(
    ("amount", "segments", "says"),
    [("0.0079", 3, "0.0237"), ("0.500000", 2, "1"), ("0", 5, "0"), ("100", 10, "1000"), ("0.000001", 1, "0.000001")],
)
def test_a_price_is_written_as_people_write_it(amount: str, segments: int, says: str) -> None:
    assert SegmentPrice(Decimal(amount), "USD").of(segments) == says
    assert Decimal(written(Decimal(amount))) == Decimal(amount)
