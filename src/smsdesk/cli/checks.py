"""The checks of `smsdesk doctor`. Each gives findings: what was looked at, how it is, and what to do about it."""

import asyncio
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from smsdesk.cli.options import DATABASE_URL, database_url
from smsdesk.postgres import PostgresError, find_binaries
from smsdesk.setup.carriers import Configs, defaults
from smsdesk.setup.secrets import unresolvable
from smsdesk.store.db import Connection
from smsdesk.store.health import CarrierRow, read_carriers, read_inventories, read_server
from smsdesk.store.migrate import MigrationError, pending

Grade = Literal["ok", "warning", "broken"]

OLDEST_SERVER = 150_000
LITTLE_DISK, NO_DISK = 1 << 30, 100 << 20
"""Bytes free in the data folder below which a doctor warns, and below which nothing will be accepted for long."""
CLOCK_WARNING, CLOCK_BROKEN = 2.0, 60.0
"""Seconds between our clock and the database's."""
ANSWER_LIMIT = 2.0
"""Seconds that a carrier may take to accept a connection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    grade: Grade
    says: str
    remedy: str = ""


def check_machine(data: Path) -> Iterator[Finding]:
    """Python, the fast parts, PostgreSQL's programs, the data folder."""
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info >= (3, 11)
    yield Finding("python", "ok" if new_enough else "broken", version, "" if new_enough else "install Python 3.11")
    for module in ("uvloop", "httptools"):
        found = find_spec(module) is not None
        remedy = "" if found else f"pip install {module}: without it requests take longer"
        yield Finding(module, "ok" if found else "warning", "installed" if found else "not installed", remedy)
    yield _binaries()
    yield from _folder(data)


def _binaries() -> Finding:
    if database_url():
        return Finding("postgresql programs", "ok", f"not needed: {DATABASE_URL} is set")
    try:
        binaries = find_binaries()
    except PostgresError as error:
        return Finding("postgresql programs", "broken", "none that can be used", str(error))
    return Finding("postgresql programs", "ok", f"{binaries.version} from {binaries.bin}")


def _folder(data: Path) -> Iterator[Finding]:
    place = next(each for each in (data.absolute(), *data.absolute().parents) if each.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding("data folder", "broken", f"{place} cannot be written", "run as its owner, or give another --data")
    elif data.exists() and stat.S_IMODE(data.stat().st_mode) & 0o022:
        yield Finding("data folder", "warning", f"{data} can be written by others", f"chmod go-w {data}")
    else:
        yield Finding("data folder", "ok", f"{data.absolute()}{'' if data.exists() else ' (not made yet)'}")
    free = shutil.disk_usage(place).free
    grade: Grade = "broken" if free < NO_DISK else "warning" if free < LITTLE_DISK else "ok"
    says = f"{free / (1 << 30):,.1f} GiB free"
    yield Finding("disk", grade, says, "" if grade == "ok" else "make room, or move the folder with --data")


async def check_server(conn: Connection, now: datetime) -> list[Finding]:
    """The version, durability, clock and schema of the database; `now` is our clock at the time of the call."""
    server = await read_server(conn)
    new_enough = server.version_number >= OLDEST_SERVER
    remedy = "" if new_enough else "smsdesk needs PostgreSQL 15 or newer"
    found = [Finding("database", "ok" if new_enough else "broken", f"PostgreSQL {server.version}", remedy)]
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        value = getattr(server, name)
        remedy = "" if value != "off" else f"alter system set {name} = on: a crash would lose accepted texts"
        found.append(Finding(name, "broken" if remedy else "ok", value, remedy))
    apart = abs((server.clock - now).total_seconds())
    grade: Grade = "broken" if apart > CLOCK_BROKEN else "warning" if apart > CLOCK_WARNING else "ok"
    remedy = "" if grade == "ok" else "let both machines take their time from one source (NTP)"
    found.append(Finding("clock", grade, f"{apart:.1f} s from the database's", remedy))
    return [*found, await _schema(conn)]


async def _schema(conn: Connection) -> Finding:
    try:
        missing = await pending(conn)
    except MigrationError as error:
        return Finding("schema", "broken", "not of this version", str(error))
    if missing and database_url() is None:
        return Finding("schema", "warning", f"{len(missing)} migrations are missing", "the next command applies them")
    if missing:
        return Finding("schema", "broken", f"{len(missing)} migrations are missing", "run `smsdesk migrate`")
    return Finding("schema", "ok", "up to date")


async def check_tenants(conn: Connection) -> list[Finding]:
    """What each tenant lacks to send and to be answered."""
    inventories = await read_inventories(conn)
    if not inventories:
        return [Finding("tenants", "warning", "there is none", "make one with `smsdesk apply FILE`")]
    found = [Finding("tenants", "ok", ", ".join(each.subdomain for each in inventories))]
    for each in inventories:
        name = f"tenant {each.subdomain}"
        if not each.active_tokens:
            remedy = f"`smsdesk token create {each.subdomain} NAME`"
            found.append(Finding(name, "warning", "no active token: nobody can use the API", remedy))
        if not each.numbers:
            found.append(Finding(name, "warning", "no number to send from", "name one under `numbers:` in its file"))
        if each.numbers_without_queue:
            says = f"replies to {', '.join(each.numbers_without_queue)} reach no queue"
            found.append(Finding(name, "warning", says, "give it a `queue:` in the file of the tenant"))
    return found


async def check_carriers(conn: Connection, configs: Configs) -> list[Finding]:
    """Whether each line's secrets are here and its address answers; all addresses are tried at once."""
    rows = await read_carriers(conn)
    looked = await asyncio.gather(*(_carrier(row, configs) for row in rows))
    return [finding for findings in looked for finding in findings]


async def _carrier(row: CarrierRow, configs: Configs) -> Sequence[Finding]:
    name = f"carrier {row.subdomain}/{row.name}"
    if row.type not in configs:
        return [
            Finding(name, "broken", f"its type {row.type} is not known to this version", "install the newer version")
        ]
    missing = [Finding(name, "broken", "a secret is missing", each) for each in unresolvable(row.config, os.environ)]
    settings: dict[str, Any] = {**defaults(configs[row.type]), **row.config}
    host, port = settings.get("host"), settings.get("port")
    if not isinstance(host, str) or not isinstance(port, int):
        return missing or [Finding(name, "ok", f"{row.type} at its own default address, which was not tried")]
    return [*missing, await _address(name, host, port)]


async def _address(name: str, host: str, port: int) -> Finding:
    try:
        async with asyncio.timeout(ANSWER_LIMIT):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no answer"
        return Finding(
            name, "broken", f"{host}:{port} does not answer: {reason}", "is the address right, the way open?"
        )
    writer.close()
    return Finding(name, "ok", f"{host}:{port} answers")
