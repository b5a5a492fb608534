"""What every command shares: its options, its database, and how it tells a person that something went wrong."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import asyncpg
import msgspec
import typer

from smsdesk.errors import Problem
from smsdesk.postgres import PostgresError, use_cluster
from smsdesk.settings import SettingsError, read_settings
from smsdesk.setup.faults import SetupError
from smsdesk.setup.plan import SetupMoved
from smsdesk.store.db import UNREACHABLE, Connection, Database
from smsdesk.store.migrate import MigrationError, check, migrate

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
if importlib.util.find_spec("uvloop"):  # Windows has none
    new_event_loop = import_module("uvloop").new_event_loop

T = TypeVar("T")

DATABASE_URL = "SMSDESK_DATABASE_URL"
MOST_FAULTS = 100
"""Mistakes of one file that are printed; who has more begins with these."""

REFUSED = (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError,
           asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientResourcesError)  # fmt: skip
"""What a database says that will not do it for us: another's rows, rights, a standby, a full disk."""

Data = Annotated[
    Path,
    typer.Option("--data", envvar="SMSDESK_DATA", file_okay=False, help="The folder with all that smsdesk keeps."),
]
DEFAULT_DATA = Path(".smsdesk")
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class CommandError(Exception):
    """A command cannot do what it was told; the text says why and what to do, for people."""


def database_url() -> str | None:
    """The database that the environment names; None where the embedded one is meant. Raises SettingsError."""
    return read_settings().database_url or None


@asynccontextmanager
async def connect(data: Path) -> AsyncIterator[Database]:
    """The database of SMSDESK_DATABASE_URL, else the embedded one of the data folder, whatever its schema.

    The embedded one is started where it does not run, and stopped after the last command that uses it. Raises
    PostgresError, or CommandError where the database does not answer.
    """
    url = database_url()
    with nullcontext(url) if url else use_cluster(data) as dsn:
        settings = read_settings()
        database = Database(dsn, settings.pool, settings.database_direct_url if url else "")
        try:
            await database.open()
        except (*UNREACHABLE, asyncpg.PostgresError, ValueError) as error:
            raise CommandError(f"the database {_where(dsn)} cannot be used: {_said(error)}") from None
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def open_database(data: Path) -> AsyncIterator[Database]:
    """The database as `connect` gives it, with the schema of this version.

    An embedded database is brought to it; one of SMSDESK_DATABASE_URL is its owner's to migrate. Raises MigrationError
    where it has the schema of a newer version, or of an older one.
    """
    async with connect(data) as database:
        if database_url() is None:
            async with plain_connection(database) as conn:
                await migrate(conn)
        async with database.connection() as conn:
            await check(conn)
        yield database


@asynccontextmanager
async def plain_connection(database: Database) -> AsyncIterator[Connection]:
    """A session of its own without the pool's limit on the time of a statement: migrations may take long."""
    conn = await asyncpg.connect(database.session_dsn, timeout=10)
    try:
        yield conn
    finally:
        await conn.close()


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Runs a command's work on an event loop. What is the user's to mend ends it with `error: ...` and exit code 1."""

    async def main() -> T:
        return await work()

    with telling(), asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main())


@contextmanager
def telling() -> Iterator[None]:
    """Turns errors that a user can mend into lines on stderr and exit code 1; all others are ours and pass."""
    try:
        yield
    except SetupError as error:
        for line in error.lines()[:MOST_FAULTS]:
            typer.echo(line, err=True)
        _fail(str(error))
    except (Problem, SetupMoved, PostgresError, MigrationError, SettingsError, CommandError) as error:
        _fail(str(error))
    except (*UNREACHABLE, *REFUSED) as error:
        _fail(f"the database did not take it: {_said(error)}")


def _fail(says: str) -> None:
    typer.echo(f"error: {says}", err=True)
    raise typer.Exit(1)


def print_json(value: object) -> None:
    """Prints a value as JSON, for programs and readable for people."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _where(dsn: str) -> str:
    """The address of a database without its password."""
    if database_url() is None:
        return "of the data folder"
    try:
        parts = urlsplit(dsn)
        return f"of {DATABASE_URL} ({parts.hostname or 'local'}:{parts.port or 5432}{parts.path})"
    except ValueError:
        return f"of {DATABASE_URL}"


def _said(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
