"""One PostgreSQL cluster under our care: where its things are, how it is, how it is spoken to, how it is stopped."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import urlencode

from smsdesk.postgres.account import Account, service_account
from smsdesk.postgres.binaries import Binaries, find_binaries
from smsdesk.postgres.errors import PostgresError
from smsdesk.postgres.lock import exclusive
from smsdesk.postgres.place import cluster_home, readable_binaries

ROLE = DATABASE = "smsdesk"
SUPERUSER = "postgres"
STOP_LIMIT = 120
"""Seconds that the last checkpoint may take."""


class State(Enum):
    """What the server answers, whatever its pid file says."""

    READY = "ready"
    STARTING = "starting"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data directory with its socket, password, log and locks."""

    folder: Path
    """The data folder that it was opened for."""
    home: Path
    """`postgres` in that folder, or what this links to."""
    binaries: Binaries
    account: Account

    @property
    def data(self) -> Path:
        """PostgreSQL's own directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.home / "server.log"

    @property
    def password(self) -> Path:
        """The file with the password of the application's role. It exists once role and database do."""
        return self.home / "password"

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1, which also names the socket. The same at each start, where it is free."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    @property
    def socket_directory(self) -> Path:
        """Where the Unix socket lies: in `home`, else, where that is too deep, in the recorded private folder."""
        record = self.home / "socket_directory"
        return Path(record.read_text()) if record.exists() else self.home / "run"

    def state(self) -> State:
        """Asks the server over its socket. No process id is believed: it may be stale or somebody else's."""
        try:
            where = ["-h", str(self.socket_directory), "-p", str(self.port)]
        except (OSError, ValueError, IndexError):  # no pid file, or one that is being written
            return State.SILENT
        answer = self.account.run([self.binaries.program("pg_isready"), "-q", "-t", "3", *where]).returncode
        if answer == 1:
            return State.STARTING
        alive = answer == 0 and self._psql("select pg_postmaster_start_time()", SUPERUSER).returncode == 0
        return State.READY if alive else State.SILENT

    def dsn(self) -> str:
        """The address for the application: its own role, over the Unix socket, password included."""
        where = urlencode({"host": str(self.socket_directory), "port": self.port})
        return f"postgresql://{ROLE}:{self.password.read_text()}@/{DATABASE}?{where}"

    def sql(self, statements: str, database: str = SUPERUSER) -> str:
        """Runs statements as the superuser and gives their unaligned rows. Raises PostgresError where one fails."""
        done = self._psql(statements, database)
        if done.returncode:
            raise PostgresError(f"The database in {self.home} refused a statement: {done.stderr.strip()}")
        return done.stdout.strip()

    def _psql(self, statements: str, database: str) -> CompletedProcess[str]:
        where = ["-h", str(self.socket_directory), "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        command = [self.binaries.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *where]
        return self.account.run(command, feed=statements)

    def stop(self) -> None:
        """Stops a server that answers: open transactions roll back, a checkpoint is written. Raises PostgresError."""
        if self.state() is State.SILENT:
            return  # pg_ctl would signal whatever process a stale pid file names
        command = [self.binaries.program("pg_ctl"), "stop", "-D", str(self.data), "-m", "fast", "-t", str(STOP_LIMIT)]
        done = self.account.run(command, limit=STOP_LIMIT + 30)
        if done.returncode and self.state() is not State.SILENT:
            raise PostgresError(f"The database in {self.home} did not stop: {done.stderr.strip()}. See {self.log}")


def open_cluster(data_dir: Path) -> Cluster:
    """Finds or lays out the cluster of a data folder, without starting it. Raises PostgresError."""
    data_dir = data_dir.absolute()
    binaries = find_binaries()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with exclusive(data_dir / "postgres.lock"):
            account = service_account(data_dir / "postgres" / "data")
            home = cluster_home(data_dir, account)
            return Cluster(data_dir, home, readable_binaries(binaries, account), account)
    except OSError as error:
        raise PostgresError(
            f"The data folder {data_dir} cannot be used: {error}. Give another one with --data, or run as its owner."
        ) from error
