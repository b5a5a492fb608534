"""Clusters of their own for tests that kill servers, with every trace removed after."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from smsdesk.postgres import State, open_cluster

USER = """
import os, pwd, sys
from importlib import resources
from pathlib import Path
from smsdesk.postgres import PostgresError, use_cluster

resources.files("smsdesk.postgres")
if len(sys.argv) > 2:  # after what imports: the account may be one that cannot read our Python
    account = pwd.getpwnam(sys.argv[2])
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
try:
    with use_cluster(Path(sys.argv[1])) as dsn:
        print(dsn, flush=True)
        sys.stdin.read()
except PostgresError as error:
    sys.exit(str(error))
"""
"""A process that uses a cluster: prints the DSN, stays until its input ends, leaves."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """A data folder that every account can pass, unlike tmp_path, which is closed to all but the owner."""
    top = Path(tempfile.mkdtemp(prefix="smsdesk-pg-"))
    top.chmod(0o755)
    try:
        yield top
    finally:
        for folder in [lock.parent for lock in top.rglob("postgres.lock")]:
            stop_and_remove(folder)
        shutil.rmtree(top, ignore_errors=True)


def stop_and_remove(folder: Path) -> None:
    """Stops the server of a data folder, and removes it with what it keeps outside."""
    if (folder / "postgres").exists():
        cluster = open_cluster(folder)
        cluster.stop()
        assert cluster.state() is State.SILENT
        for kept in {cluster.home, cluster.socket_directory}:
            shutil.rmtree(kept, ignore_errors=True)


def start_user(folder: Path, *account: str) -> "subprocess.Popen[str]":
    """Starts a process that uses the folder's cluster, as another account if one is named."""
    command = [sys.executable, "-c", USER, str(folder), *account]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd="/")


def dsn_of(process: "subprocess.Popen[str]") -> str:
    """What the process printed once it was in, log lines passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("postgresql://"):
            return line.strip()
    _, errors = process.communicate(timeout=60)
    raise AssertionError(f"the user did not get in: {errors}")


def leave(process: "subprocess.Popen[str]") -> None:
    """Lets the process leave in good order."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def postmaster(folder: Path) -> int:
    """The process id of a running server."""
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def kill_server(folder: Path) -> None:
    """SIGKILL for the postmaster."""
    os.kill(postmaster(folder), signal.SIGKILL)


def ended(pid: int) -> bool:
    """Whether a process is no more, reaped or not."""
    state = subprocess.run(["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] in {"", "Z"}


def fetch(dsn: str, statement: str) -> object:
    """One value over a connection of its own, for tests that are not coroutines."""

    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    # With a factory the runner leaves pytest-asyncio's current loop alone.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(ask())
