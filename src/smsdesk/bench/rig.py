"""What a benchmark runs on: an embedded PostgreSQL in a folder of its own, a tenant, and real processes of ours."""

import asyncio
import os
import re
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec
import uvloop

from smsdesk.actions.apply_setup import apply_setup
from smsdesk.actions.create_token import create_token
from smsdesk.actions.plan_setup import SetupFile, plan_setup
from smsdesk.carriers.registry import CARRIERS
from smsdesk.postgres import find_binaries, open_cluster, use_cluster
from smsdesk.postgres.cluster import DATABASE
from smsdesk.store.db import Database
from smsdesk.store.migrate import migrate

T = TypeVar("T")

TENANT, OURS = "bench", "+16285550199"
SETUP = f"""
tenant: {TENANT}
carriers: [{{name: lab, type: lab, window: 50}}]
queues: [{{name: Support}}]
numbers: [{{number: "{OURS}", carrier: lab, queue: Support}}]
"""
START_LIMIT, STOP_LIMIT = 60.0, 20.0
"""Seconds that a process may take to be ready, and to end."""


class BenchError(Exception):
    """A benchmark that could not be made or whose counts were wrong; the text says what and where to look."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end on a loop as quick as the servers'."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


class Child:
    """A process of ours, in a session of its own so that Ctrl-C at a terminal leaves its end to us."""

    def __init__(self, name: str, words: tuple[str, ...], folder: Path, environ: dict[str, str]) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *words], stdout=subprocess.PIPE, stderr=log, env=environ, start_new_session=True
            )
        self.pid = self._process.pid

    def first_line(self) -> str:
        """What it says when it is ready. Raises BenchError where it does not."""
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], START_LIMIT)
        line = self._process.stdout.readline().decode() if readable else ""
        if not line:
            raise self._failed()
        return line.strip()

    def wait_for(self, file: Path) -> bytes:
        """The content of a file that it writes when it is ready. Raises BenchError where it does not."""
        until = time.monotonic() + START_LIMIT
        while not file.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise self._failed()
            time.sleep(0.02)
        return file.read_bytes()

    def check(self) -> None:
        """Raises BenchError where it has ended."""
        if self._process.poll() is not None:
            raise self._failed()

    def stop(self) -> None:
        """Ends it in good order, or in any after STOP_LIMIT."""
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def _failed(self) -> BenchError:
        said = self._log.read_text(errors="replace").strip().splitlines()
        return BenchError(f"{self.name} does not run; the end of its log:\n" + "\n".join(said[-10:]))


class Rig:
    """The folder, its database with the tenant in it, and what was started on them."""

    def __init__(self, folder: Path, dsn: str, ends: ExitStack) -> None:
        self.dsn = dsn
        self.token = ""
        self.tenant_id = 0
        self._cluster = open_cluster(folder)
        self.postmaster = self.postmaster_now()
        pgbench = Path(find_binaries().program("pgbench"))
        self.server_log = self._cluster.log
        self.pgbench = pgbench if pgbench.exists() else None
        self.lab_smpp_port = self.lab_http_port = 0
        self._folder = folder
        self._ends = ends

    async def set_up(self, setup: str) -> None:
        """Migrates, applies the tenant as `smsdesk apply` would, and makes its token."""
        conn = await asyncpg.connect(self.dsn)
        try:
            await migrate(conn)
        finally:
            await conn.close()
        database, now = Database(self.dsn, size=2), datetime.now(UTC)
        await database.open()
        try:
            configs = {name: each.Config for name, each in CARRIERS.items()}
            file = SetupFile("the bench's set-up", setup.encode(), self._folder, configs, {})
            (planned,) = await plan_setup(database, file, secrets.token_bytes)
            await apply_setup(database, planned, now)
            self.token = await create_token(database, TENANT, "bench", now, secrets.token_bytes)
        finally:
            await database.close()
        self.tenant_id = await self.value("select tenant_id from subdomains where subdomain = $1", TENANT)

    def postmaster_now(self) -> int:
        """The process id of the database server, which is another after each start."""
        return int((self._cluster.data / "postmaster.pid").read_text().splitlines()[0])

    def dsn_now(self) -> str:
        """Where the database is, which was started again perhaps."""
        return self._cluster.dsn()

    def as_superuser(self, statements: str) -> str:
        """The unaligned rows of statements that the application's role may not run. Raises PostgresError."""
        return self._cluster.sql(statements, DATABASE)

    async def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """The rows of a query, over a connection of its own."""
        conn = await asyncpg.connect(self._cluster.dsn())
        try:
            return [tuple(row) for row in await conn.fetch(query, *arguments)]
        finally:
            await conn.close()

    async def value(self, statement: str, *arguments: object) -> int:
        """One number from the database, over a connection of its own."""
        conn = await asyncpg.connect(self.dsn)
        try:
            found: int = await conn.fetchval(statement, *arguments)
            return found
        finally:
            await conn.close()

    def api(self, under: tuple[str, ...] = ()) -> tuple[Child, int]:
        """`smsdesk serve --role api`, ready, and its port; `under` is a module, with its words, that runs it."""
        words = (*under, "smsdesk", "serve", "--role", "api", "--port", "0", "--data", str(self._folder))
        child = self._start("api", *words)
        ready = child.first_line()
        port = re.search(r"http://[^/]*:(\d+)", ready)
        if port is None:
            raise BenchError(f"the api said {ready!r} where its address belongs")
        return child, int(port[1])

    def worker(self, under: tuple[str, ...] = ()) -> Child:
        """`smsdesk serve --role worker`, ready; `under` as above."""
        child = self._start("worker", *under, "smsdesk", "serve", "--role", "worker", "--data", str(self._folder))
        child.first_line()
        return child

    def serve(
        self, name: str, *words: str, under: tuple[str, ...] = (), environ: Mapping[str, str] | None = None
    ) -> Child:
        """`smsdesk serve` in the words that are given, with more in its environment; what it says is not read yet."""
        return self._start(name, *under, "smsdesk", "serve", *words, "--data", str(self._folder), environ=environ)

    def lab(self, host: str = "127.0.0.1") -> Child:
        """The lab at this address, ready; its ports are known from now on, to the worker as well."""
        ready = self._folder / "lab.json"
        ready.unlink(missing_ok=True)  # a kept folder has that of a lab that is gone
        words = ("smsdesk.lab", "--host", host, "--smpp-port", "0", "--http-port", "0", "--ready-file", str(ready))
        child = self._start("lab", *words)
        ports = msgspec.json.decode(child.wait_for(ready), type=dict[str, Any])
        self.lab_smpp_port, self.lab_http_port = ports["smpp_port"], ports["http_port"]
        return child

    def _start(self, name: str, *words: str, environ: Mapping[str, str] | None = None) -> Child:
        # Where the programs of PostgreSQL are and who runs them stays; no other setting of the user's may count here.
        keep = {"SMSDESK_POSTGRES_BIN", "SMSDESK_DB_USER"}
        ours = {key: value for key, value in os.environ.items() if not key.startswith("SMSDESK_") or key in keep}
        ours |= {"SMSDESK_LAB": f"127.0.0.1:{self.lab_smpp_port or 1}", **(environ or {})}
        child = Child(name, words, self._folder, ours)
        self._ends.callback(child.stop)
        return child


@contextmanager
def rig(keep: Path | None = None, setup: str = SETUP, settings: Mapping[str, str] | None = None) -> Iterator[Rig]:
    """A rig in a temporary folder, or in `keep`, which must be new or empty and stays. Ends all that it started.

    `settings` of the server override those of `server.conf`. Raises BenchError where `keep` is in use, and
    PostgresError.
    """
    with ExitStack() as ends:
        folder = _kept(keep) if keep else temporary_folder(ends)
        dsn = ends.enter_context(use_cluster(folder, settings=settings))
        built = Rig(folder, dsn, ends)
        built.as_superuser(_USED)
        run(built.set_up(setup))
        yield built


# A server that has run for a while writes into segments of WAL that it has used before. A young one fills each new one
# with zeros and syncs it, 20 ms and more in which every session waits.
_USED = """
do $$ begin
    for each in 1..16 loop
        perform pg_logical_emit_message(false, 'smsdesk', 'x');
        perform pg_switch_wal();
    end loop;
end $$;
checkpoint
"""


def _kept(folder: Path) -> Path:
    if folder.exists() and any(folder.iterdir()):
        raise BenchError(f"{folder} is not empty: a bench fills the database of its folder, so name a new one")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def temporary_folder(ends: ExitStack) -> Path:
    """A folder that goes when `ends` does, in the one that TMPDIR names, else in /var/tmp."""
    # /tmp lies in memory on many systems, where a commit costs nothing; /var/tmp is to outlive a reboot (FHS 5.15).
    place = Path(os.environ.get("TMPDIR") or "/var/tmp")  # noqa: S108 - mkdtemp makes a folder that nobody else writes to
    folder = Path(tempfile.mkdtemp(prefix="smsdesk-bench-", dir=place if os.access(place, os.W_OK) else None))
    folder.chmod(0o755)  # root's PostgreSQL runs under another account, which must pass
    ends.callback(remove_folder, folder)
    return folder


def remove_folder(folder: Path) -> None:
    """Removes it with the cluster in it, which must have stopped."""
    if (folder / "postgres").exists():
        cluster = open_cluster(folder)
        for kept in {cluster.home, cluster.socket_directory}:
            shutil.rmtree(kept, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
