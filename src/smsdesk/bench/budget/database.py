"""What PostgreSQL does for each message: its processes' CPU by the kernel, its statements by pg_stat_statements."""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import asyncpg

from smsdesk.bench.budget.report import Line
from smsdesk.bench.processes import PROC, family

SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "all",
    "pg_stat_statements.track_utility": "off",
    "pg_stat_statements.max": "10000",
    "log_executor_stats": "on",
    "log_error_verbosity": "default",  # else the server keeps the figures to itself
}
"""With which the server is to be started: statements within functions are counted as well, and its log tells what CPU
each statement of a client took."""
EXTENSION = "create extension pg_stat_statements"
"""To be run once, as superuser."""

SETTLED = 1.2
"""Seconds after which a session that is idle has told what it did: pgstat_report_stat waits a second at most."""
BACKENDS = "sessions"
REST = "protocol, begin and commit"
ENDED = 0
"""In the place of a process id: all that have ended. Workers of autovacuum live for moments; sessions end seldom, and
the bench's own count for some 10 milliseconds."""
_OURS = "budget_observer"
"""In each statement of the bench itself, so that it is left out."""
SHOWN = 8
"""Statements within one that are told of."""
LEAST = 0.01
"""The share of its statement from which on a statement within a function is told of."""


@dataclass(frozen=True, slots=True)
class Use:
    """Of one process: nanoseconds on a core (/proc/PID/schedstat)."""

    role: str
    ran: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What one statement did so far. `top` ones were sent by a client; the others were run by a function."""

    text: str
    top: bool
    calls: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the schema: its name, and the source of what it runs."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Look:
    """PostgreSQL's counters at one moment."""

    uses: dict[int, Use]
    statements: dict[tuple[int, bool], Statement]
    functions: tuple[Function, ...] = ()
    executor: tuple[float, float] = (0.0, 0.0)
    """Seconds that statements of clients took: on a core, and by the clock."""
    wal: int = 0
    """Bytes."""
    syncs: int = 0
    """WAL files brought to the disk."""
    rows: dict[str, int] = field(default_factory=dict)
    """Written so far: inserted, updated, deleted, `hot`; `size` are bytes of all tables without their indexes."""


async def look(dsn: str, postmaster: int, log: Path) -> Look:
    """All counters now, CPU first; then those that the server tells late. `log` is the server's own."""
    conn = await asyncpg.connect(dsn)
    try:
        uses = {pid: use for pid, use in read_uses(postmaster).items() if pid != conn.get_server_pid()}
        rows = await conn.fetch(_STATEMENTS)
        statements = {(row[0], row[1]): Statement(row[2], row[1], row[3], row[4]) for row in rows}
        sources = await conn.fetch(_FUNCTIONS)
        executor = read_executor(await asyncio.to_thread(log.read_text, "utf-8", "replace"))
        functions = tuple(Function(row[0], row[1]) for row in sources)
        await asyncio.sleep(SETTLED)
        wal = await conn.fetchval(f"select wal_bytes::int8 from pg_stat_wal {_OURS}")  # noqa: S608 - a constant
        syncs = await conn.fetchval(_SYNCS if conn.get_server_version().major >= 18 else _SYNCS_BEFORE_18)
        written = dict(await conn.fetchrow(_ROWS) or {})
        return Look(
            uses,
            statements,
            functions,
            executor,
            int(wal),
            int(syncs),
            {name: int(value) for name, value in written.items()},
        )
    finally:
        await conn.close()


_STATEMENTS = f"""
select queryid, toplevel, query, calls, total_exec_time from pg_stat_statements {_OURS}
where dbid = (select oid from pg_database where datname = current_database()) and query not like '%{_OURS}%'
"""  # noqa: S608 - of constants
_FUNCTIONS = f"""
select proname, prosrc from pg_proc {_OURS} join pg_namespace n on n.oid = pronamespace where nspname = current_schema()
"""  # noqa: S608
_SYNCS = f"select coalesce(sum(fsyncs), 0)::int8 from pg_stat_io {_OURS} where object = 'wal'"  # noqa: S608
_SYNCS_BEFORE_18 = f"select wal_sync::int8 from pg_stat_wal {_OURS}"  # noqa: S608
_ROWS = f"""
select coalesce(sum(n_tup_ins), 0)::int8 as inserted, coalesce(sum(n_tup_upd), 0)::int8 as updated,
    coalesce(sum(n_tup_del), 0)::int8 as deleted, coalesce(sum(n_tup_hot_upd), 0)::int8 as hot,
    coalesce(sum(pg_relation_size(relid)), 0)::int8 as size
from pg_stat_user_tables {_OURS}
"""  # noqa: S608


def read_uses(postmaster: int) -> dict[int, Use]:
    """What each process of the server used so far."""
    found: dict[int, Use] = {}
    for pid in family(postmaster):
        place = PROC / str(pid)
        try:
            ran = int((place / "schedstat").read_text(encoding="ascii").split()[0])
            found[pid] = Use(_role(place), ran)
        except (FileNotFoundError, ProcessLookupError):
            continue
    if found:
        found[ENDED] = Use("autovacuum", _ended(postmaster))
    return found


def _ended(postmaster: int) -> int:
    """Nanoseconds of the processes that have ended: fields 16 and 17 of stat, proc(5), in ticks."""
    fields = (PROC / str(postmaster) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return sum(map(int, fields[13:15])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def read_executor(log: str) -> tuple[float, float]:
    """What the server's log says of its clients' statements: seconds on a core, and by the clock."""
    found = [tuple(map(float, one)) for one in _TOLD.findall(log)]
    return sum(user + system for user, system, _ in found), sum(elapsed for _, _, elapsed in found)


_TOLD = re.compile(r"EXECUTOR STATISTICS\n.*DETAIL:.*\n\s*!\s+([\d.]+) s user, ([\d.]+) s system, ([\d.]+) s elapsed")


def _role(place: Path) -> str:
    """What a process is for, by its title: `postgres: walwriter`, `postgres: smsdesk smsdesk [local] idle`."""
    title = (place / "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    _, colon, work = title.partition("postgres: ")
    beside = ("walwriter", "checkpointer", "background writer", "io worker", "logical replication")
    if work.startswith("autovacuum"):
        return "autovacuum"
    return "WAL writer, checkpointer and the like" if not colon or work.startswith(beside) else BACKENDS


def lines(before: Look, after: Look, items: int) -> tuple[Line, ...]:
    """The steps of PostgreSQL's CPU between two looks.

    pg_stat_statements knows times by the clock; of these the share counts in which statements had a core.
    """
    ran = _used(before, after)
    mine = ran.pop(BACKENDS, 0) / 1e3 / items
    done = _statements(before, after)
    top = [one for one in done if one.top]
    clock = sum(one.milliseconds for one in top) * 1e3 / items
    scale = min(on_core(before, after), mine / clock) if clock else 1.0
    each = scale * 1e3 / items
    found = [
        Line(name_of(one.text), one.milliseconds * each, inside=_inside(one, done, after.functions, each))
        for one in sorted(top, key=lambda one: -one.milliseconds)
    ]
    told = [line for line in found if line.us >= LEAST * mine]
    rest = sum(line.us for line in found) - sum(line.us for line in told)
    told += [Line("other statements", rest)] if rest > 0 else []
    told.append(Line(REST, mine - clock * scale))
    return (*told, *(Line(role, spent / 1e3 / items) for role, spent in sorted(ran.items())))


def used(before: Look, after: Look, items: int) -> float:
    """CPU microseconds of all its processes for each item."""
    return sum(_used(before, after).values()) / 1e3 / items


def on_core(before: Look, after: Look) -> float:
    """The share of the time of statements in which they had a core; 1 where the log says nothing."""
    cpu, clock = (new - old for old, new in zip(before.executor, after.executor, strict=True))
    return min(1.0, cpu / clock) if clock else 1.0


def calls(before: Look, after: Look, function: str) -> int:
    """How often clients called this function."""
    return sum(one.calls for one in _statements(before, after) if one.top and function in one.text)


def _used(before: Look, after: Look) -> dict[str, int]:
    ran: dict[str, int] = {}
    for pid, use in after.uses.items():
        old = before.uses.get(pid, Use(use.role, 0))
        ran[use.role] = ran.get(use.role, 0) + use.ran - old.ran
    return ran


def _statements(before: Look, after: Look) -> list[Statement]:
    """What was run in between."""
    none = Statement("", True, 0, 0.0)
    found = []
    for key, one in after.statements.items():
        old = before.statements.get(key, none)
        if one.calls > old.calls:
            found.append(Statement(one.text, one.top, one.calls - old.calls, one.milliseconds - old.milliseconds))
    return found


def _inside(top: Statement, done: list[Statement], functions: Sequence[Function], each: float) -> tuple[Line, ...]:
    """The dearest statements of the functions that a statement calls; several of one name are one."""
    names = _called(top.text, functions)
    sources = [one.source for one in functions if one.name in names]
    least = LEAST * top.milliseconds
    parts: dict[str, float] = {}
    for one in done:
        if not one.top and one.milliseconds >= least and _is_in(one.text, sources):
            name = name_of(one.text)
            parts[name] = parts.get(name, 0.0) + one.milliseconds
    dearest = sorted(parts.items(), key=lambda part: -part[1])
    return tuple(Line(name, took * each) for name, took in dearest[:SHOWN])


def _is_in(text: str, sources: Sequence[str]) -> bool:
    """By its words: pg_stat_statements changes the constants of a statement, and plpgsql leaves its INTO out."""
    said = _words(text)
    return any(said <= _words(source) for source in sources)


@cache
def _words(text: str) -> frozenset[str]:
    text = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", " ", text.lower())
    return frozenset(re.findall(r"[a-z_][a-z_0-9]*", text))


def _called(text: str, functions: Sequence[Function]) -> set[str]:
    """All functions that a statement calls, and those that they call."""
    found, left = set[str](), [text]
    while left:
        said = left.pop()
        for one in functions:
            if one.name not in found and re.search(rf"\b{one.name}\s*\(", said):
                found.add(one.name)
                left.append(one.source)
    return found


def checks(before: Look, after: Look, items: int) -> float:
    """Microseconds of the checks of foreign keys, which are within the statements that write."""
    found = sum(one.milliseconds for one in _statements(before, after) if _CHECK in one.text)
    return found * 1e3 / items * on_core(before, after)


_CHECK = "FOR KEY SHARE OF x"
_WRITES = re.compile(r"\b(insert into|(?<!for )(?<!key )(?<!do )update|delete from)\s+(?:only\s+)?\"?(\w+)", re.I)
_READS = re.compile(r"\b(?:from|join)\s+(?:only\s+)?(?:\w+\.)?\"?(?!unnest|generate_series|lateral|select)(\w+)", re.I)
_CALLS = re.compile(r"\b([a-z]+_[a-z_]+)\(\$1")
_RUNS = re.compile(r"select\s+(\w+)\(p_", re.I)
"""What PERFORM becomes."""


def name_of(text: str) -> str:
    """A statement in a few words: what it writes, else the function it calls, else what it reads."""
    text = re.sub(r'"\w+"\.', "", re.sub(r"--[^\n]*\n", " ", text))
    if _CHECK in text:
        return f"foreign key check in {_READS.findall(text)[0]}"
    if runs := _RUNS.match(text.strip()):
        return runs[1]
    if wrote := _WRITES.findall(text):
        return ", ".join(dict.fromkeys(f"{verb.lower()} {table}" for verb, table in wrote))
    if called := _CALLS.findall(text):
        return ", ".join(dict.fromkeys(called))
    read = ", ".join(dict.fromkeys(name for name in _READS.findall(text)))
    return f"look in {read}" if read else " ".join(text.split())[:50].replace("|", " ")
