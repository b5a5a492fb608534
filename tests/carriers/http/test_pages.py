"""What the carriers' pages tell an operator is true: their set-up files can be applied, and no setting is left out."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from smsdesk.carriers.http import HttpConfig
from smsdesk.carriers.registry import CARRIERS
from smsdesk.setup.secrets import is_secret
from tests.carriers.http.kit import HTTP_TYPES, SECRET

PAGES = Path(__file__).parents[3] / "docs" / "carriers"
SHARED = {field.name for field in msgspec.structs.fields(HttpConfig)}


def settings_of(kind: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind)}


def named(text: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9_]+)`", text))


def test_the_table_has_every_type_and_every_shared_setting() -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| (?:\[(\w+)\]\(\1\.md\)|`(\w+)`) \|", text, re.MULTILINE))
    assert {"".join(row) for row in rows} >= CARRIERS.keys()
    assert named(text) >= SHARED


@pytest.mark.parametrize("kind", HTTP_TYPES)
def test_a_page_names_every_setting(kind: str) -> None:
    text = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    missing = settings_of(CARRIERS[kind].Config) - SHARED - named(text)
    assert not missing, f"docs/carriers/{kind}.md does not tell of {sorted(missing)}"


def test_the_generic_page_names_what_lies_deeper() -> None:
    text = (PAGES / "generic.md").read_text(encoding="utf-8")
    fields = {field.name: field.type for field in msgspec.structs.fields(CARRIERS["generic"].Config)}
    for part in ("answers", "callbacks", "search"):
        assert settings_of(fields[part]) <= named(text), part


@pytest.mark.parametrize("kind", HTTP_TYPES)
def test_a_pages_set_up_can_be_applied(kind: str) -> None:
    text = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    (document,) = [
        YAML(typ="safe").load(StringIO(block)) for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    ]
    carriers: list[dict[str, Any]] = [one for one in document["carriers"] if one["type"] == kind]
    assert carriers
    for carrier in carriers:
        given = {name: value for name, value in carrier.items() if name not in ("name", "type")}
        assert all(value.keys() <= {"env", "file"} for name, value in given.items() if is_secret(name))
        shown = {name: SECRET if is_secret(name) else value for name, value in given.items()}
        config = msgspec.convert(shown, CARRIERS[kind].Config)
        assert config.callback_url == f"https://desk.example.com/callbacks/{document['tenant']}/{carrier['name']}"
