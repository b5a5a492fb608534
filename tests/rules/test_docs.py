"""What the pages say is there: links, files, commands, variables, decisions."""

import re
from pathlib import Path

import pytest

from smsdesk.cli.app import VERBS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
SETTINGS = (ROOT / "src" / "smsdesk" / "settings.py").read_text(encoding="utf-8")
SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text)
    files = re.findall(r"`((?:src|tests|docs|requirements|\.ci)/[\w./-]+)`", text)
    missing = [one for one in links if not (page.parent / one).exists()]
    missing += [one for one in files if not (ROOT / one).exists()]
    assert not missing, f"{name(page)} names {missing}, which do not exist"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    # Words in prose are no commands: only what begins a line of a block, or a piece of code in a sentence.
    code = "\n".join(re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL) + re.findall(r"`[^`\n]+`", text))
    verbs = set(re.findall(r"(?:^|`|\$ |&& |/bin/)smsdesk ([a-z]+)", code, re.MULTILINE))
    targets = set(re.findall(r"(?:^|`|&& )make ([a-z]+)", code, re.MULTILINE))
    assert verbs <= VERBS.keys(), f"{name(page)}: there is no smsdesk {sorted(verbs - VERBS.keys())}"
    unknown = {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)}
    assert not unknown, f"{name(page)}: there is no make {sorted(unknown)}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_variables_are_read_by_the_code(page: Path) -> None:
    named = set(re.findall(r"\bSMSDESK_[A-Z_]+", page.read_text(encoding="utf-8")))
    fields = {f"SMSDESK_{field.upper()}" for field in re.findall(r"^    (\w+): (?:str|int) = ", SETTINGS, re.M)}
    known = fields | {f"{field}_FILE" for field in fields}
    unread = sorted(one for one in named - known if not any(one in source for source in SOURCES))
    assert not unread, f"{name(page)} names {unread}, which nothing reads"


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (DOCS / "adr").glob("0*.md"))
    assert pages == re.findall(r"\((0\d{3}-[a-z0-9-]+\.md)\)", index), (
        "docs/adr/README.md lists each decision, in order"
    )


def test_every_dependency_has_its_reasons() -> None:
    wanted = (ROOT / "requirements" / "runtime.in").read_text(encoding="utf-8")
    packages = re.findall(r"^([a-z][\w.-]*)", wanted, re.MULTILINE)
    reasons = (DOCS / "adr" / "0002-dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][\w., -]+) \|", reasons, re.MULTILINE)
    table = [package for row in rows for package in row.split(", ")]
    assert packages
    assert sorted(table) == sorted(packages), "docs/adr/0002-dependencies.md has a row for each line of runtime.in"
