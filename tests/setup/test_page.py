"""The page of the set-up file is true: its examples are good files, and it names every key, setting and type."""

import re
from pathlib import Path

from smsdesk.carriers.registry import CARRIERS
from smsdesk.domain.setup import State
from smsdesk.setup.document import read_documents
from smsdesk.setup.items import Around, read_items
from smsdesk.setup.references import final, settle
from smsdesk.setup.settings import SETTINGS

PAGE = (Path(__file__).parents[2] / "docs" / "setup-file.md").read_text(encoding="utf-8")
CONFIGS = {name: each.Config for name, each in CARRIERS.items()}


def examples() -> list[str]:
    """The set-up files of the page; one that shows a section alone belongs to the tenant of the first."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [block if block.startswith("tenant:") else f"tenant: acme\n{block}" for block in blocks]


def test_the_examples_are_good_files_one_after_the_other(tmp_path: Path) -> None:
    (prices,) = re.findall(r"^```\n(prefix,.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "rates.csv").write_text(prices)
    state = State("acme", 1)
    files = examples()
    assert len(files) == 2
    for file in files:
        (document,) = read_documents(file.encode(), "page.yaml")
        wanted = settle(state, read_items(document, Around(state, CONFIGS, tmp_path)))
        assert [fault.line("page.yaml") for fault in wanted.faults] == []
        state = State("acme", 1, final(state, wanted.items))
    assert len(state.of("limit")) == 5
    assert str(state.things["carrier", "upstream"]["rates"]) == "3 prices in USD"


def test_every_setting_key_and_type_is_named() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert named == set(SETTINGS)
    words = set(re.findall(r"`(\w+)`", PAGE))
    assert set(CARRIERS) <= words
    assert {
        "number",
        "carrier",
        "fallbacks",
        "queue",
        "label",
        "campaign",
        "brand",
        "rates",
        "segments",
        "per",
    } <= words
