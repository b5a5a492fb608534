"""The page of this carrier says what its settings are, and its examples work."""

import re
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import fields
from ruamel.yaml import YAML

from smsdesk.carriers.smpp.config import Config
from smsdesk.domain.outcome import REASONS

PAGE = (Path(__file__).parents[3] / "docs" / "carriers" / "smpp.md").read_text(encoding="utf-8")
SETTINGS = PAGE.partition("\n## Settings\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in row.strip("|").split(" | ")] for row in SETTINGS.splitlines() if row.startswith("| `")
]


def test_every_setting_is_in_the_table_once_and_no_other() -> None:
    named = [name for row in ROWS for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(field.name for field in fields(Config))


def test_the_defaults_are_those_of_the_code() -> None:
    known = {field.name: field for field in fields(Config)}
    for names, _, said in ROWS:
        keys = re.findall(r"`(\w+)`", names)
        defaults = [known[key].default for key in keys]
        words = [word.strip("`") for word in said.split(", ")]
        if len(words) != len(keys) or said.startswith(("by the number", "those", "`host`")):
            words = [words[0]] * len(keys) if len(set(map(str, defaults))) == 1 else words
        for key, default, word in zip(keys, defaults, words, strict=False):
            if isinstance(default, bool):
                assert word == str(default).lower(), key
            elif isinstance(default, int | float):
                assert float(word) == default, key
            elif isinstance(default, str) and default:
                assert word == default, key
            else:
                assert not word[:1].isdigit() or default is None, key


def examples() -> list[Any]:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return [YAML(typ="safe").load(block) for block in blocks]


def test_the_examples_are_settings_that_work() -> None:
    setup, quirks = examples()
    given = {key: value for key, value in setup["carriers"][0].items() if key not in ("name", "type")}
    given["password"] = "from the environment"
    msgspec.convert(given, Config)
    msgspec.convert(given | quirks, Config)


def test_the_reasons_that_a_person_may_name_are_all_there() -> None:
    words = PAGE.partition("The words: ")[2].partition(".")[0]
    assert re.findall(r"`(\w+)`", words) == [reason for reason in REASONS if reason not in ("not_sent", "ambiguous")]
