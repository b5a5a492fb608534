"""A data folder for each test, both kinds of binaries, and processes that end with the test."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smsdesk.postgres import use_cluster
from smsdesk.postgres.binaries import installed
from tests.kit.cluster import own_folder, start_user


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder, made empty and removed with its server."""
    with own_folder() as path:
        yield path


@pytest.fixture(scope="session")
def prepared() -> Iterator[Path]:
    """A folder whose cluster was made and stopped."""
    with own_folder() as path:
        with use_cluster(path):
            pass
        yield path


@pytest.fixture
def made(folder: Path, prepared: Path) -> Path:
    """A data folder with a cluster of its own, which does not run: a copy, since making one takes most of a second."""
    subprocess.run(["/bin/cp", "-a", f"{prepared}/.", str(folder)], check=True)
    return folder


@pytest.fixture
def machine_bin() -> Path:
    """The programs of the machine's own package."""
    place = next((place for place in installed() if (place / "psql").exists()), None)
    if place is None:
        pytest.skip("this machine has no PostgreSQL of its own")
    return place


@pytest.fixture(params=["wheel", "machine"])
def any_binaries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same test with the wheel's programs and with those of the machine's package."""
    if request.param == "machine":
        monkeypatch.setenv("SMSDESK_POSTGRES_BIN", str(request.getfixturevalue("machine_bin")))


@pytest.fixture
def user() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts processes that use a cluster, and ends them after."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *account: str) -> "subprocess.Popen[str]":
        started.append(start_user(folder, *account))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=30)
