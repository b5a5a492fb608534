"""The checks of `smsdesk doctor`. Each gives findings: what was looked at, how it is, and what to do about it."""

import asyncio
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from smsdesk.cli.options import DATABASE_URL, database_url
from smsdesk.domain.setup import limit_name
from smsdesk.postgres import PostgresError, find_binaries
from smsdesk.setup.carriers import Configs, defaults
from smsdesk.setup.secrets import resolve_all, unresolvable
from smsdesk.setup.typed import in_words
from smsdesk.store.db import Connection
from smsdesk.store.health import CarrierRow, Inventory, read_carriers, read_inventories, read_server
from smsdesk.store.migrate import MigrationError, pending

Grade = Literal["ok", "info", "warning", "broken"]
"""`info` is nothing to mend: a choice that somebody may have made, or not have thought of."""

OLDEST_SERVER = 150_000
LITTLE_DISK, NO_DISK = 1 << 30, 100 << 20
"""Bytes free in the data folder below which a doctor warns, and below which nothing will be accepted for long."""
CLOCK_WARNING, CLOCK_BROKEN = 2.0, 60.0
"""Seconds between our clock and the database's."""
ANSWER_LIMIT = 2.0
"""Seconds that a carrier may take to accept a connection."""
MOST_NAMED = 5
"""Numbers that one finding names; of more it says how many there are."""


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
    return [*found, *(finding for each in inventories for finding in _tenant(each))]


def _tenant(tenant: Inventory) -> Iterator[Finding]:
    name = f"tenant {tenant.subdomain}"
    if not tenant.active_tokens:
        remedy = f"`smsdesk token create {tenant.subdomain} NAME`"
        yield Finding(name, "warning", "no active token: nobody can use the API", remedy)
    if not tenant.numbers:
        yield Finding(name, "warning", "no number to send from", "name one under `numbers:` in its file")
    if tenant.numbers_without_queue:
        says = f"replies to {_some(tenant.numbers_without_queue)} reach no queue"
        yield Finding(name, "warning", says, "give it a `queue:` in the file of the tenant")
    if tenant.numbers_without_fallback:
        says = f"texts of {_some(tenant.numbers_without_fallback)} wait while their carrier is down"
        yield Finding(name, "info", says, "name other carriers under `fallbacks:` of the number")
    for scope, of, seconds, segments in tenant.limits:
        yield Finding(name, "info", f"limit {limit_name(scope, of, seconds)}: {segments:,} segments")


def _some(numbers: Sequence[str]) -> str:
    more = len(numbers) - MOST_NAMED
    return ", ".join(numbers[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


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
    found = [*_config(name, row, configs[row.type])]
    address = _address_of({**defaults(configs[row.type]), **row.config})
    if address is not None:
        found.append(await _address(name, *address))
    elif not found:
        found.append(Finding(name, "ok", f"{row.type} at its own default address, which was not tried"))
    if row.left:
        elsewhere = f"; texts of {_some(row.elsewhere)} go elsewhere" if row.elsewhere else ""
        found.append(Finding(name, "warning", f"left: {row.left}{elsewhere}", "it is tried again by itself"))
    if row.doubtful:
        remedy = f"`smsdesk texts doubtful {row.subdomain}` lists them"
        found.append(Finding(name, "warning", f"{row.doubtful:,} texts are in doubt", remedy))
    if not row.prices:
        remedy = "name a price list under `rates:` of the carrier"
        found.append(Finding(name, "info", "no prices: what its texts cost is not known", remedy))
    return found


def _config(name: str, row: CarrierRow, config: type[msgspec.Struct]) -> Iterator[Finding]:
    """What keeps the line from starting."""
    missing = unresolvable(row.config, os.environ)
    for each in missing:
        yield Finding(name, "broken", "a secret or a file is missing", each)
    if not missing:
        try:
            msgspec.convert(resolve_all(row.config, os.environ), config)
        except msgspec.ValidationError as error:
            yield Finding(
                name, "broken", f"its settings cannot work: {in_words(error)}", "mend them in its set-up file"
            )


def _address_of(settings: Mapping[str, Any]) -> tuple[str, int] | None:
    host, port = settings.get("host"), settings.get("port")
    if isinstance(host, str) and isinstance(port, int):
        return host, port
    try:
        url = urlsplit(settings.get("base_url") or settings.get("url") or "")
        return (url.hostname, url.port or (80 if url.scheme == "http" else 443)) if url.hostname else None
    except ValueError:
        return None


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
