"""The house rules that a linter does not know. Each message says what to do instead."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "smsdesk"
MODULES = sorted(SOURCE.rglob("*.py"))

HARD_FILE = 400
HARD_FUNCTION = 50
HARD_TEMPLATE = 150
HARD_SCRIPT = 200
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "misc"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_module_keeps_its_size(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= HARD_FILE, f"{name(path)} has {lines} lines: give a part of it a name and a file of its own"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_keep_their_size(path: Path) -> None:
    long = {
        node.name: size
        for node in functions(path)
        if (size := (node.end_lineno or 0) - node.lineno + 1) > HARD_FUNCTION
    }
    assert not long, f"{name(path)}: {long} lines; find the step in it that deserves a name"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_our_own_code_is_imported_at_the_top(path: Path) -> None:
    hidden = [
        f"line {node.lineno}"
        for function in functions(path)
        for node in ast.walk(function)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("smsdesk"))
        or (isinstance(node, ast.Import) and any(one.name.startswith("smsdesk") for one in node.names))
    ]
    # A command of the command line imports what it needs when it is called, so that `--help` is quick.
    if path.is_relative_to(SOURCE / "cli"):
        return
    assert not hidden, f"{name(path)}: {hidden}: move the import to the top; if that makes a ring, move the code down"


@pytest.mark.parametrize("path", [one for one in MODULES if one.name == "__init__.py"], ids=name)
def test_package_says_what_belongs_in_it(path: Path) -> None:
    if path.read_text(encoding="utf-8").strip() or path.parent.name == "v1":
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), (
            f"{name(path)}: say in a few lines what belongs here and what does not"
        )


@pytest.mark.parametrize(("suffix", "most"), [("html", HARD_TEMPLATE), ("js", HARD_SCRIPT)])
def test_pages_keep_their_size(suffix: str, most: int) -> None:
    long = {
        name(path): size
        for path in SOURCE.rglob(f"*.{suffix}")
        if (size := path.read_text(encoding="utf-8").count("\n")) > most
    }
    assert not long, f"{long} lines: one screen, one template, one script"


def test_no_module_is_named_for_nothing() -> None:
    found = [name(path) for path in MODULES if path.stem in FORBIDDEN_NAMES]
    assert not found, f"{found}: name it for what is in it"


def test_sql_is_in_the_store_only() -> None:
    sql = re.compile(r"\b(select .+ from|insert into|update \w+ set|delete from)\b", re.IGNORECASE)
    allowed = tuple(SOURCE / package for package in ("store", "postgres", "bench", "prove"))
    found = [
        f"{name(path)}:{node.lineno}"
        for path in MODULES
        if not any(path.is_relative_to(one) for one in allowed)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and sql.search(node.value)
        and not node.value.endswith(".")
    ]  # fmt: skip
    assert not found, f"{found}: give the statement a name in store/"


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=name)
def test_requirements_are_hashed_and_name_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text, f"{name(path)} names an address: write it with `make lock`"
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE | re.IGNORECASE)[1:]
    assert packages
    loose = [one for one in packages if not re.match(r"[\w.\[\]-]+==\S+", one) or "--hash=sha256:" not in one]
    assert not loose, f"{name(path)}: {loose}: write it with `make lock`"


def test_version_is_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", "docs/life-of-a-message.md"])
def test_every_path_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:src|tests|docs|contract|requirements|\.ci)/[\w./-]+)`", text))
    packages = "|".join(path.name for path in SOURCE.iterdir() if path.is_dir())
    named |= {f"src/smsdesk/{one}" for one in re.findall(rf"`((?:{packages})/[\w./-]+\.\w+)`", text)}
    missing = sorted(one for one in named if not (ROOT / one).exists())
    assert named, f"{page} names no file"
    assert not missing, f"{page} names {missing}, which do not exist"
