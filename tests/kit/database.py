"""One embedded cluster for the whole run, and a fresh database of the current schema for each test."""

import asyncio
import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from smsdesk.postgres import open_cluster, use_cluster
from smsdesk.postgres.lock import exclusive, share, upgrade
from smsdesk.store.migrate import migrate

TEMPLATE = "template_of_tests"
ROOM = 2 * 1024**3
"""Octets that a run may need in memory: a cluster, its log, and a database for each worker."""
# These tests end processes of ours, never the machine: what PostgreSQL wrote, the kernel keeps. Those that do end
# PostgreSQL itself make a cluster of their own. Nobody but a superuser can end an autovacuum, so that a database which
# is being vacuumed could not be dropped.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB",
        "autovacuum": "off"}  # fmt: skip


class Clones:
    """Makes and drops copies of the template over one connection, on a loop of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._numbers = itertools.count(1)
        # With a factory the runner leaves pytest-asyncio's current loop alone.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._admin = self._runner.run(asyncpg.connect(dsn))

    def make_template(self) -> None:
        """Migrates the template, unless another worker has done so."""
        if not self._runner.run(self._admin.fetchval("select 1 from pg_database where datname = $1", TEMPLATE)):
            self._run(f"drop database if exists {TEMPLATE}_new with (force)")
            self._run(f"create database {TEMPLATE}_new")
            self._runner.run(self._migrate(f"{TEMPLATE}_new"))
            self._run(f"alter database {TEMPLATE}_new rename to {TEMPLATE}")

    def create(self) -> str:
        """Copies the template and gives the copy's name."""
        name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}_{next(self._numbers)}"
        self._run(f"create database {name} template {TEMPLATE} strategy file_copy")
        return name

    def drop(self, name: str) -> None:
        """Drops a copy, whoever is still connected to it."""
        self._run(f"drop database {name} with (force)")

    def dsn(self, name: str) -> str:
        """The address of one database of the cluster."""
        return urlsplit(self._dsn)._replace(path=f"/{name}").geturl()

    def close(self) -> None:
        """Ends the connection and its loop."""
        self._runner.run(self._admin.close())
        self._runner.close()

    def _run(self, statement: str) -> None:
        self._runner.run(self._admin.execute(statement))

    async def _migrate(self, name: str) -> None:
        conn = await asyncpg.connect(self.dsn(name))
        try:
            await migrate(conn)
        finally:
            await conn.close()


@contextmanager
def shared_cluster(run: Path) -> Iterator[str]:
    """Gives the DSN of the cluster that belongs to this run's folder; the last worker out stops and removes it."""
    users = share(run / "cluster.users")
    # Not below the run's folder: that is closed to the account which runs PostgreSQL for root.
    folder = _quick_place() / f"smsdesk-tests-{hashlib.sha256(bytes(run)).hexdigest()[:12]}"
    try:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        with use_cluster(folder, settings=FAST) as dsn:
            open_cluster(folder).sql("alter role smsdesk createdb")
            yield dsn
    finally:
        if upgrade(users):
            shutil.rmtree(folder, ignore_errors=True)
        os.close(users)


def _quick_place() -> Path:
    """Where a copy of a database takes 30 ms and not 200: in memory, where there is enough of it."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM:
        return memory
    return Path(tempfile.gettempdir())


def _run_folder(factory: pytest.TempPathFactory) -> Path:
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def cluster_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of the run's one cluster: durable against nothing, shared by all workers."""
    with shared_cluster(_run_folder(tmp_path_factory)) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def database_clones(cluster_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clones]:
    """What makes a database for each test."""
    clones = Clones(cluster_dsn)
    with exclusive(_run_folder(tmp_path_factory) / "template.lock"):
        clones.make_template()
    yield clones
    clones.close()


@pytest.fixture
def database(database_clones: Clones) -> Iterator[str]:
    """The DSN of a fresh, migrated, empty database, dropped after the test."""
    name = database_clones.create()
    yield database_clones.dsn(name)
    database_clones.drop(name)
