"""A real pgbouncer before the rig's database, for what is measured and tried behind one."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

Mode = Literal["transaction", "session"]
START_LIMIT = 20.0
CONFIGURATION = """
[databases]
{database} = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 500
server_lifetime = 3600
server_login_retry = 1
idle_transaction_timeout = 5
log_connections = 0
log_disconnections = 0
"""


class Pooler:
    """pgbouncer with so many connections to the server of `dsn`; `dsn` of its own is the way over it."""

    def __init__(self, folder: Path, dsn: str, mode: Mode, size: int) -> None:
        parts = urlsplit(over_tcp(dsn))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            own = probe.getsockname()[1]
        self.dsn = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{own}").geturl()
        self._own = own
        self._folder = folder
        self._write(
            "pgbouncer.ini",
            CONFIGURATION.format(
                database=parts.path.removeprefix("/"), host=parts.hostname, port=parts.port, own=own, folder=folder,
                mode=mode, size=size,
            ),
        )  # fmt: skip
        self._write("users", f'"{parts.username}" "{unquote(parts.password or "")}"\n')
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def kill(self) -> None:
        """Ends it at once, with all connections in both directions, and starts it again."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        """It refuses to run as root. Raises OSError where it does not answer."""
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        process = subprocess.Popen(
            [program() or "pgbouncer", "-q", str(self._folder / "pgbouncer.ini")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True,
            user=account.pw_uid if account else None, group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )  # fmt: skip
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._own)) == 0:
                    return process
            time.sleep(0.02)
        process.kill()
        process.wait()
        raise OSError("pgbouncer does not run")

    def _write(self, name: str, content: str) -> None:
        path = self._folder / name
        path.write_text(content)
        path.chmod(0o600)
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            os.chown(path, account.pw_uid, account.pw_gid)


def program() -> str | None:
    """Where pgbouncer is installed; None where it is not. Debian keeps it among the programs of root."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def over_tcp(dsn: str) -> str:
    """The address of an embedded server by its port: only its own account may pass to its socket."""
    parts = urlsplit(dsn)
    port = parse_qs(parts.query).get("port", [str(parts.port or 5432)])[0]
    host = "127.0.0.1" if parts.query else parts.hostname
    return parts._replace(netloc=f"{parts.username}:{parts.password}@{host}:{port}", query="").geturl()


@contextmanager
def pooler(dsn: str, mode: Mode, size: int = 20) -> Iterator[Pooler]:
    """One that runs in this block. Raises OSError where it does not start."""
    folder = Path(mkdtemp(prefix="smsdesk-pooler-"))
    folder.chmod(0o755)
    made = None
    try:
        made = Pooler(folder, dsn, mode, size)
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)
