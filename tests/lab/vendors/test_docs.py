"""docs/lab.md against the lab itself: its tables, and each of its curl commands."""

import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from smsdesk.cli.app import VERBS
from smsdesk.cli.lab import lab
from smsdesk.lab.dialect import Dialect
from smsdesk.lab.faults import Faults
from smsdesk.lab.page_faults import helps
from smsdesk.lab.profiles import PROFILES, Profile
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.desk import VENDORS
from smsdesk.lab.vendors.forge import Forgery
from smsdesk.lab.words import REPLY_WORDS, SUBMIT_WORDS
from tests.lab.vendors.customer import Stage

PAGE = (Path(__file__).parents[3] / "docs" / "lab.md").read_text(encoding="utf-8")


def table(first: str) -> list[list[str]]:
    """The rows of the table whose heading begins with this cell, each as its cells."""
    _, _, rest = PAGE.partition(f"| {first} |")
    assert rest, first
    lines = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", cell)


def test_every_fault_is_listed_with_its_default() -> None:
    fields = msgspec.structs.fields(Faults)
    rows = table("Field | What | Default")
    assert [names(row[0]) for row in rows] == [[field.name] for field in fields]
    for field, (_, _, default, said) in zip(fields, rows, strict=True):
        assert default == msgspec.json.encode(field.default).decode().strip('"').removesuffix(".0"), field.name
        assert said == (helps(Faults)[field.name] or said), field.name
        assert said, field.name


@pytest.mark.parametrize(("first", "words"), [("Word | The lab", SUBMIT_WORDS), ("Word | The reply", REPLY_WORDS)])
def test_every_word_is_listed(first: str, words: Any) -> None:
    assert table(first) == [[f"`{word.example}`", word.help] for word in words]


def test_profiles_have_these_numbers() -> None:
    rows = table("Number | " + " | ".join(f"`{name}`" for name in PROFILES))
    shown = [[f"`{name}`", *(f"{getattr(p, name):g}" for p in PROFILES.values())] for name in Profile.__struct_fields__]
    assert rows == shown


def test_dialects_have_these_values() -> None:
    rows = table("Field | Values, the first is the default")
    for field, (name, values, said) in zip(msgspec.structs.fields(Dialect), rows, strict=True):
        kind = msgspec.inspect.type_info(field.type)
        known = kind.values if isinstance(kind, msgspec.inspect.LiteralType) else ("false", "true")
        assert (names(name), said) == ([field.name], helps(Dialect)[field.name])
        assert names(values)[0] == str(field.default).lower() if field.default is False else field.default
        assert set(names(values)) == set(known)


def test_accounts_have_these_settings() -> None:
    rows = {row[0]: names(row[1]) for row in table("Vendor | Settings")}
    assert set(rows["all"]) == set(Account.__struct_fields__)
    for vendor in VENDORS:
        own = [name for name in vendor.account_type.__struct_fields__ if name not in Account.__struct_fields__]
        assert [name for name in rows[vendor.name] if name in own] == own, vendor.name


def test_forgeries_and_flags() -> None:
    rows = PAGE.split("### Callbacks on demand")[1].split("### ")[0]
    assert set(Forgery.__struct_fields__) <= set(names(rows))
    flags = {name for cell, _ in table("Flag") for name in re.findall(r"--([\w-]+)", cell)}
    wanted = {name.replace("_", "-") for name in lab.__annotations__ if name != "return"}
    assert flags == wanted
    assert "lab" in VERBS


CURLS = re.findall(r"^curl .*", PAGE, re.MULTILINE)


def request(command: str, base: str) -> dict[str, Any]:
    """What curl would ask."""
    words = iter(shlex.split(command.replace("$LAB", base), comments=True)[1:])
    asked: dict[str, Any] = {"headers": {}}
    fields: list[str] = []
    as_query = False
    for word in words:
        match word:
            case "-X":
                asked["method"] = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                asked["headers"][name] = value
            case "-u":
                asked["auth"] = tuple(next(words).split(":"))
            case "-d":
                fields.append(next(words))
            case "--data-urlencode":
                name, _, value = next(words).partition("=")
                fields.append(str(httpx.QueryParams({name: value})))
            case "-G":
                as_query = True
            case _:
                asked["url"] = word
    body = "&".join(fields)
    if as_query:
        asked["url"] += "?" + body
    elif body:
        asked["headers"].setdefault("Content-Type", "application/x-www-form-urlencoded")
        asked["content"] = body.encode()
    asked.setdefault("method", "POST" if "content" in asked else "GET")
    return asked


async def test_every_command_is_answered(stage: Stage) -> None:
    assert len(CURLS) > 25
    base = stage.base.removesuffix("/vendors")
    for command in CURLS:
        answer = await stage.rig.http.request(**request(command, base))
        assert answer.status_code < 300, f"{command}: {answer.text}"
    arrived = await stage.rig.get("/handsets/+14155550100/texts")
    assert {text["via"] for text in arrived} == {vendor.name for vendor in VENDORS}


def test_the_howto_knows_the_words_of_today() -> None:
    howto = (Path(__file__).parents[3] / "docs" / "howto" / "test-with-the-lab.md").read_text(encoding="utf-8")
    words = {name.split(":")[0] for name in re.findall(r"^\| `(#[^`]+)`", howto, re.MULTILINE)}
    assert len(words) > 10
    assert words <= {f"#{word.name}" for word in SUBMIT_WORDS}
