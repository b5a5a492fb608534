"""The page that tells how to add a carrier, followed to the letter in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "add-a-carrier.md"
REGISTRY = "src/smsdesk/carriers/registry.py"
MOST_LINES = 150


def blocks() -> dict[str, str]:
    """The files of the page by the path in their first line."""
    code = re.findall(r"^```python\n# (\S+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return dict(code)


def test_it_takes_three_files_and_few_lines() -> None:
    files = blocks()
    assert len(files) == 3
    assert REGISTRY in files
    assert sum(text.count("\n") for text in files.values()) + 1 < MOST_LINES, "one more is the import in the registry"


def test_what_the_page_says_sends_and_receives(tmp_path: Path) -> None:
    leave_out = shutil.ignore_patterns("static", "templates")
    for folder in ("src", "tests/carriers", "tests/kit"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    files = blocks()
    line = files.pop(REGISTRY)
    for path, text in files.items():
        assert not (ROOT / path).exists(), f"{path} is there already: the page needs another name"
        (tmp_path / path).write_text(text, encoding="utf-8")
    registry = tmp_path / REGISTRY
    text = registry.read_text(encoding="utf-8")
    text = text.replace("from smsdesk.carriers import ", "from smsdesk.carriers import pigeon, ", 1)
    registry.write_text(text.rstrip().removesuffix("}") + line + "}\n", encoding="utf-8")

    ruff = [sys.executable, "-m", "ruff"]
    _run(tmp_path, *ruff, "check", "--no-cache", *files)
    _run(tmp_path, *ruff, "format", "--no-cache", "--check", *files)
    said = _run(
        tmp_path, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/carriers/test_pigeon.py",
        "tests/carriers/http/test_every_vendor.py", "-k", "pigeon",
    )  # fmt: skip
    passed = re.search(r"(\d+) passed", said)
    assert passed, said
    assert int(passed[1]) > 20, "its own tables and the cases of every vendor"


def _run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
