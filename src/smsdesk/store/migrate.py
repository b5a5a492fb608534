"""Brings a database to the schema of this version: plain SQL files, each applied once, in its own transaction."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg

from smsdesk.store.db import Connection

NAME = re.compile(r"(\d{4})_(pre|post)_[a-z0-9_]+\.sql")
"""`pre` may be applied while the older version still runs; `post` only once no older version does."""
LOCK_KEY = 0x534D53
"""`pg_advisory_xact_lock` of whoever migrates, so that nodes which start together go one after the other."""
QUEUE_TIMEOUT = "10min"
"""How long to wait for another node that is migrating."""


class MigrationError(Exception):
    """The schema cannot be brought or held to this version. The text says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the migrations folder."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What must stay the same once the file was applied; line ends do not count."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(conn: Connection, folder: Traversable | None = None, *, lock_timeout: float = 5.0) -> list[str]:
    """Applies what is missing and gives the names applied, in order; several nodes may call it at once.

    A statement that waits `lock_timeout` seconds for a table gives up: it holds up all who come after it.
    Raises MigrationError where the database and the files contradict each other, or a file fails; the files before
    that one stay applied.
    """
    known = read_migrations(folder)
    done: list[str] = []
    while True:
        async with conn.transaction():
            await conn.execute(f"set local lock_timeout = '{QUEUE_TIMEOUT}'")
            await conn.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
            missing = _missing(known, await _applied(conn))
            if not missing:
                return done
            await _apply(conn, missing[0], lock_timeout)
        done.append(missing[0].name)


async def pending(conn: Connection, folder: Traversable | None = None) -> list[str]:
    """Gives the names that `migrate` would apply, changing nothing. Raises MigrationError as `migrate` does."""
    return [migration.name for migration in _missing(read_migrations(folder), await _applied(conn))]


async def check(conn: Connection, folder: Traversable | None = None) -> None:
    """Returns where the schema is exactly this version's. Raises MigrationError otherwise."""
    if missing := await pending(conn, folder):
        raise MigrationError(
            f"The database lacks {len(missing)} migration(s), from {missing[0]} on. Run: smsdesk migrate"
        )


def read_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Reads the files of a folder, by default ours, in order. Raises MigrationError on a bad name or number."""
    place = folder or resources.files("smsdesk.store") / "migrations"
    files = sorted((entry for entry in place.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    for number, entry in enumerate(files, start=1):
        if not NAME.fullmatch(entry.name):
            raise MigrationError(f"The migration {entry.name} is not named NNNN_pre_what.sql or NNNN_post_what.sql.")
        if int(entry.name[:4]) != number:
            raise MigrationError(
                f"The migrations are not numbered without a gap: {entry.name} stands where {number:04} belongs."
            )
    return [Migration(entry.name, entry.read_text(encoding="utf-8").replace("\r\n", "\n")) for entry in files]


async def _has_table(conn: Connection) -> bool:
    return bool(await conn.fetchval("select to_regclass('schema_migrations') is not null"))


async def _applied(conn: Connection) -> dict[str, str]:
    if not await _has_table(conn):
        return {}
    rows = await conn.fetch("select name, sha256 from schema_migrations order by name")
    return {row["name"]: row["sha256"] for row in rows}


def _missing(known: list[Migration], applied: dict[str, str]) -> list[Migration]:
    """What to apply, after making sure that the applied ones are an unchanged beginning of the known ones."""
    if newer := sorted(applied.keys() - {migration.name for migration in known}):
        raise MigrationError(
            f"The database has a newer schema than this version of smsdesk: it does not know {', '.join(newer)}. "
            "Install the version that made it, or a newer one."
        )
    for migration in known[: len(applied)]:
        if migration.name not in applied:
            later = min(name for name in applied if name > migration.name)
            raise MigrationError(
                f"The database has {later} but not {migration.name} before it. Give the new migration the next free "
                "number, or restore the database."
            )
        if applied[migration.name] != migration.sha256:
            raise MigrationError(
                f"The migration {migration.name} was changed after it was applied. Restore the file as it was, and put "
                "the change into a new migration."
            )
    return known[len(applied) :]


async def _apply(conn: Connection, migration: Migration, lock_timeout: float) -> None:
    await conn.execute(f"set local lock_timeout = {round(lock_timeout * 1000)}")
    try:
        await conn.execute(migration.sql)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationError(
            f"The migration {migration.name} waited {lock_timeout:g} s for a table that another transaction holds, and "
            "was undone. Run smsdesk migrate again at a quieter moment."
        ) from error
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{_where(migration, error)} failed and was undone: {error}") from error
    if not conn.is_in_transaction():
        raise MigrationError(f"The migration {migration.name} ends its own transaction: remove its commit or rollback.")
    if not await _has_table(conn):
        await conn.execute(
            "create table schema_migrations"
            " (name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
        )
    await conn.execute("insert into schema_migrations (name, sha256) values ($1, $2)", migration.name, migration.sha256)


def _where(migration: Migration, error: asyncpg.PostgresError) -> str:
    position = getattr(error, "position", None)  # counted in characters from 1
    line = f", line {migration.sql.count(chr(10), 0, int(position)) + 1}," if position else ""
    return f"The migration {migration.name}{line}"
