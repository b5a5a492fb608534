"""The account that PostgreSQL runs as."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from smsdesk.postgres.errors import PostgresError


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system account. `switch` says that it is not ours: we are root, and PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run(
        self, arguments: Sequence[str], *, feed: str = "", lend: tuple[int, ...] = (), limit: float = 120, at: str = "/"
    ) -> CompletedProcess[str]:
        """Runs a program to its end as this account; `lend` are descriptors it inherits, `limit` is in seconds.

        `at` is its working directory: ours may be one that the account cannot enter.

        Raises PostgresError where it cannot be started or takes longer.
        """
        try:
            return subprocess.run(
                arguments,
                input=feed,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=limit,
                check=False,
                cwd=at,
                env=_environment(),
                pass_fds=lend,
                start_new_session=True,  # so that Ctrl-C at a terminal ends us, never a half-made cluster
                user=self.uid if self.switch else None,
                group=self.gid if self.switch else None,
                extra_groups=() if self.switch else None,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PostgresError(f"{arguments[0]} could not be run as {self.name}: {error}") from error

    def can_pass(self, path: Path) -> bool:
        """Whether the account may enter this directory or run this program, asked of the system itself."""
        return self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]).returncode == 0

    def write(self, path: Path, text: str) -> None:
        """Writes a private file as the account itself: root follows no link in directories that are not root's."""
        done = self.run(["/bin/sh", "-c", 'umask 077 && cat > "$1"', "sh", str(path)], feed=text)
        if done.returncode:
            raise PostgresError(f"{self.name} could not write {path}: {done.stderr.strip()}")

    def make_directory(self, directory: Path) -> None:
        """Makes a private directory of this account, whole or not at all; one that is there stays as it is."""
        if directory.is_dir():
            return
        fresh = directory.with_name(f"{directory.name}.new")
        fresh.mkdir(mode=0o700, exist_ok=True)
        self.own(fresh)
        fresh.rename(directory)

    def own(self, path: Path) -> None:
        """Hands over a path. Only for what we made ourselves."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def _environment() -> dict[str, str]:
    """Ours without what libpq and the server would obey (PGHOST, PGDATA, PGOPTIONS ...) and with English messages."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return ours | {"LC_ALL": "C", "PGCONNECT_TIMEOUT": "5"}


def service_account(cluster: Path) -> Account:
    """Chooses who runs the server: ourselves; for root SMSDESK_DB_USER, else `postgres`, else `nobody`.

    A cluster that exists stays with its owner. Raises PostgresError where the account is missing or contradicts that.
    """
    uid = os.geteuid()
    wanted = os.environ.get("SMSDESK_DB_USER")
    if uid != 0:
        return _account(uid, switch=False)
    if cluster.exists():
        owner = _account(cluster.stat().st_uid, switch=True)
        if wanted not in {None, owner.name}:
            raise PostgresError(
                f"SMSDESK_DB_USER is {wanted}, but the cluster in {cluster} belongs to {owner.name}. Unset it, or "
                f"stop every smsdesk and give the cluster away: chown -R {wanted} {cluster.resolve().parent}"
            )
        return owner
    for name in [wanted] if wanted else ["postgres", "nobody"]:
        if name in {entry.pw_name for entry in pwd.getpwall()}:
            return _account(pwd.getpwnam(name).pw_uid, switch=True)
    raise PostgresError(
        f"PostgreSQL does not run as root, and there is no account {wanted or 'postgres or nobody'} on this machine. "
        "Set SMSDESK_DB_USER to an account that may run it, or start smsdesk as an ordinary user."
    )


def _account(uid: int, *, switch: bool) -> Account:
    if switch and uid == 0:
        raise PostgresError("PostgreSQL does not run as root: set SMSDESK_DB_USER to an ordinary account.")
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise PostgresError(
            f"The user id {uid} has no name on this machine, and PostgreSQL needs one: add it to the machine's users, "
            "or set SMSDESK_DATABASE_URL to a server's address."
        ) from error
    return Account(entry.pw_name, uid, entry.pw_gid, switch)
