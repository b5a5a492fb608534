"""Starts a cluster that does not run, and gets past what a crash left behind."""

import os
import re
import socket
import stat
import tempfile
import time
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import structlog

from smsdesk.postgres.cluster import Cluster, State
from smsdesk.postgres.create import create_cluster, create_role, require_version
from smsdesk.postgres.errors import PostgresError
from smsdesk.postgres.lock import try_exclusive
from smsdesk.postgres.memory import memory_limit, page_memory

RECOVERY_LIMIT = 600.0
"""Seconds that a server may replay its WAL after a crash."""
SILENCE_LIMIT = 20.0
"""Seconds that the last processes of a killed server may take to end."""
PORT_TRIES = 3
SOCKET_PATH_LIMIT = 103
"""Bytes in the path of a Unix socket: 107 on Linux, 103 on macOS."""
LOG_LIMIT = 10_000_000
"""Bytes of server log before it begins anew, with one old one kept."""
PAUSE = 0.05

_log = structlog.get_logger("smsdesk.postgres")


def ensure_running(cluster: Cluster, settings: Mapping[str, str]) -> None:
    """Returns once the server answers and the application can log in; starts it with `settings` if it must.

    Only one process at a time may call this for a cluster. Raises PostgresError.
    """
    alive = _wait(cluster)
    if alive is not None:
        try:
            _start(cluster, alive, settings)
        finally:
            os.close(alive)  # the server inherited it and keeps it for as long as any of its processes lives
    if not cluster.password.exists():
        create_role(cluster)


def _wait(cluster: Cluster) -> int | None:
    """Gives the lock which proves that no process of an old server lives, or None when a server is ready."""
    begun = time.monotonic()
    while (state := cluster.state()) is not State.READY:
        if state is State.SILENT and (alive := try_exclusive(cluster.home / "alive.lock")) is not None:
            return alive
        if time.monotonic() - begun > (SILENCE_LIMIT if state is State.SILENT else RECOVERY_LIMIT):
            raise PostgresError(
                f"A server holds the cluster in {cluster.home} but does not answer. See {cluster.log}; "
                f"its processes are listed by: fuser -v {cluster.home / 'alive.lock'}"
            )
        time.sleep(PAUSE)
    return None


def _start(cluster: Cluster, alive: int, settings: Mapping[str, str]) -> None:
    if not cluster.data.exists():
        create_cluster(cluster, alive)
    require_version(cluster)
    _tidy(cluster)
    for _ in range(PORT_TRIES):
        _configure(cluster, settings)
        # pg_ctl gives the server a session of its own, so what ends us does not end it. Its paths go through a shell
        # in double quotes, so they are relative ones, whatever the folder is called.
        command = [cluster.binaries.program("pg_ctl"), "start", "-D", cluster.data.name, "-l", cluster.log.name]
        command += ["-w", "-t", str(int(RECOVERY_LIMIT))]
        done = cluster.account.run(command, lend=(alive,), limit=RECOVERY_LIMIT + 30, at=str(cluster.home))
        if done.returncode == 0 and cluster.state() is State.READY:
            _log.info("PostgreSQL started", cluster=str(cluster.home), version=cluster.binaries.version)
            return
        time.sleep(PAUSE)  # another process may have taken the port in between
    tail = cluster.log.read_text(errors="replace")[-1500:] if cluster.log.exists() else done.stderr
    raise PostgresError(f"PostgreSQL did not start in {cluster.home}. The end of {cluster.log}:\n{tail.strip()}")


def _tidy(cluster: Cluster) -> None:
    # With the lock in hand this pid file is stale, and PostgreSQL would refuse if its number had gone to another
    # process of the account. Its shared memory key still guards against a server that was started by hand.
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)
    for left in cluster.socket_directory.glob(".s.PGSQL.*"):  # the same holds for the lock of its socket
        left.unlink(missing_ok=True)
    if cluster.log.exists() and cluster.log.stat().st_size > LOG_LIMIT:
        cluster.log.rename(cluster.log.with_suffix(".log.1"))


def _configure(cluster: Cluster, settings: Mapping[str, str]) -> None:
    ours = {
        "listen_addresses": "127.0.0.1",
        "port": str(_port(cluster)),
        "unix_socket_directories": '"{}"'.format(str(_socket_directory(cluster)).replace('"', '""')),
        "shared_buffers": f"{page_memory(memory_limit()) >> 20}MB",
    }
    if cluster.binaries.has_library("pg_prewarm"):  # after a start, the pages that were in use are read at once
        ours["shared_preload_libraries"] = "pg_prewarm"
    fixed = resources.files("smsdesk.postgres").joinpath("server.conf").read_text()
    lines = [f"{name} = {_quoted(value)}" for name, value in {**ours, **settings}.items()]
    cluster.account.write(cluster.data / "postgresql.conf", "\n".join([fixed, *lines, ""]))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _port(cluster: Cluster) -> int:
    """The port of the last start where it is free, so that its users find the server again; else any free one."""
    last = re.search(r"^port = '(\d+)'$", _configuration(cluster), re.MULTILINE)
    for port in (int(last[1]) if last else 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PostgresError("There is no free port on 127.0.0.1 for PostgreSQL.")


def _configuration(cluster: Cluster) -> str:
    try:
        return (cluster.data / "postgresql.conf").read_text()
    except OSError:
        return ""


def _socket_directory(cluster: Cluster) -> Path:
    directory = cluster.socket_directory
    if directory == cluster.home / "run" and _fits(directory):
        cluster.account.make_directory(directory)
    elif not _is_private(directory, cluster.account.uid):  # the system may have emptied its temporary folder
        directory = _private_directory(cluster)
        cluster.account.write(cluster.home / "socket_directory", str(directory))
    return directory


def _fits(directory: Path) -> bool:
    # Clients take a comma for the end of one host and the beginning of the next.
    return len(os.fsencode(directory / ".s.PGSQL.65535")) <= SOCKET_PATH_LIMIT and "," not in str(directory)


def _is_private(directory: Path, owner: int) -> bool:
    if directory.is_symlink() or not directory.is_dir():
        return False
    found = directory.stat()
    return found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700 and _fits(directory)


def _private_directory(cluster: Cluster) -> Path:
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  # mkdtemp makes a folder that only its owner enters
        if _fits(Path(parent, "smsdesk-12345678")) and cluster.account.can_pass(Path(parent)):
            directory = Path(tempfile.mkdtemp(prefix="smsdesk-", dir=parent))
            cluster.account.own(directory)
            return directory
    raise PostgresError(
        f"No Unix socket can lie in {cluster.home} nor in the system's temporary folder: set TMPDIR to a folder, or "
        f"choose a data folder, whose path has no comma and at most {SOCKET_PATH_LIMIT - 40} bytes."
    )
