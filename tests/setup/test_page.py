"""The page of the set-up file is true: its examples are good files, and it names every key, setting and type."""

import re
from pathlib import Path

from smsdesk.carriers.registry import CARRIERS
from smsdesk.domain.queue_settings import TEXTS, QueueSettings
from smsdesk.domain.setup import State
from smsdesk.domain.tenant import TenantSettings
from smsdesk.setup.document import read_documents
from smsdesk.setup.items import Around, read_items
from smsdesk.setup.queue_settings import QUEUE_SETTINGS
from smsdesk.setup.references import final, settle
from smsdesk.setup.settings import NAMES
from smsdesk.setup.wanted import Wanted

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
    assert len(files) == 5
    for file in files:
        (document,) = read_documents(file.encode(), "page.yaml")
        wanted = settle(state, read_items(document, Around(state, CONFIGS, tmp_path)))
        assert [fault.line("page.yaml") for fault in wanted.faults] == []
        state = State("acme", 1, final(state, wanted.items))
    assert len(state.of("limit")) == 5
    assert str(state.things["carrier", "upstream"]["rates"]) == "3 prices in USD"


def keys_of(heading: str) -> set[str]:
    """The first column of the table below a heading."""
    below = PAGE[PAGE.index(f"\n{heading}\n") + 1 :].partition("\n#")[0]
    return set(re.findall(r"^\| `(\w+)` \|", below, re.MULTILINE))


def test_every_default_is_the_one_of_the_code() -> None:
    for heading, defaults in (("## settings", TenantSettings()), ("### Settings of a queue", QueueSettings())):
        below = PAGE[PAGE.index(f"\n{heading}\n") + 1 :].partition("\n#")[0]
        for name, said in re.findall(r"^\| `(\w+)` \|.*\| `?([\w.]+)`? \|$", below, re.MULTILINE):
            value = getattr(defaults, name)
            if isinstance(value, bool | int | str) and value != "" and said not in ("none", "always"):
                assert (name, said) == (name, str(value).lower() if isinstance(value, bool) else str(value))


def test_every_setting_key_and_type_is_named() -> None:
    assert keys_of("## settings") == NAMES
    assert keys_of("### Settings of a queue") == set(QUEUE_SETTINGS)
    assert set(TEXTS) <= set(re.findall(r"`(\w+)`", PAGE[PAGE.index("`texts` are ") :]))
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
        "agent",
        "max_chats",
        "skills",
        "move_chats_to",
    } <= words


HOWTO = (Path(__file__).parents[2] / "docs" / "howto" / "set-up-queues.md").read_text(encoding="utf-8")


def test_the_steps_of_the_howto_are_good_files_one_after_the_other(tmp_path: Path) -> None:
    *steps, last = re.findall(r"^```yaml\n(.*?)^```", HOWTO, re.MULTILINE | re.DOTALL)
    state = State("acme", 1)

    def judged(file: str) -> Wanted:
        (document,) = read_documents(file.encode(), "page.yaml")
        return settle(state, read_items(document, Around(state, CONFIGS, tmp_path)))

    for file in steps:
        wanted = judged(file)
        assert [fault.line("page.yaml") for fault in wanted.faults] == []
        state = State("acme", 1, final(state, wanted.items))
    assert len(steps) == 5
    [refused] = judged(last).faults
    assert "the number +16285550197 still leads to bob@foo.com" in refused.says
    (remedy,) = re.findall(r'With `(\{number: "\+1 628-555-0197".*?\})`', HOWTO)
    assert judged(last.replace("numbers:\n", f"numbers:\n  - {remedy}\n")).faults == ()
