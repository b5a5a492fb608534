"""Shares one running cluster between processes: the first one in starts it, the last one out stops it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog

from smsdesk.postgres.cluster import Cluster, open_cluster
from smsdesk.postgres.errors import PostgresError
from smsdesk.postgres.lock import exclusive, share, upgrade
from smsdesk.postgres.start import ensure_running

_log = structlog.get_logger("smsdesk.postgres")


@contextmanager
def use_cluster(data_dir: Path, *, keep: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Gives the DSN of the data folder's database for the block, starting its server where none runs.

    The last user to leave stops it, unless that one said `keep`. A user that is killed lets go at once, and harms
    nobody: the next one finds the server healthy. `settings` override those of `server.conf` at a start. Blocks while
    the server starts (a second, or a recovery), so enter it before the event loop. Raises PostgresError.
    """
    cluster = open_cluster(data_dir)
    users = _enter(cluster, settings or {})
    try:
        yield cluster.dsn()
    finally:
        _leave(cluster, users, keep=keep)


def revive(data_dir: Path) -> str:
    """Starts the server of a data folder again, after it died under its users, and gives the DSN: its port is new.

    Blocks. Raises PostgresError.
    """
    cluster = open_cluster(data_dir)
    try:
        with exclusive(cluster.home / "turnstile.lock"):
            ensure_running(cluster, {})
            return cluster.dsn()
    except OSError as error:
        raise PostgresError(f"The cluster in {cluster.home} cannot be used: {error}. Run as its owner.") from error


def _enter(cluster: Cluster, settings: Mapping[str, str]) -> int:
    try:
        with exclusive(cluster.home / "turnstile.lock"):
            ensure_running(cluster, settings)
            return share(cluster.home / "users.lock")
    except OSError as error:
        raise PostgresError(f"The cluster in {cluster.home} cannot be used: {error}. Run as its owner.") from error


def _leave(cluster: Cluster, users: int, *, keep: bool) -> None:
    # Nobody enters while the turnstile is ours, so "no other user" stays true until the server has stopped.
    with exclusive(cluster.home / "turnstile.lock"):
        try:
            if not keep and upgrade(users):
                cluster.stop()
        finally:
            os.close(users)
