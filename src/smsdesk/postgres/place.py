"""Where a cluster and its programs lie, so that the account which runs them can reach them."""

import hashlib
import itertools
import os
import shutil
from pathlib import Path

import structlog

from smsdesk.postgres.account import Account
from smsdesk.postgres.binaries import Binaries
from smsdesk.postgres.errors import PostgresError
from smsdesk.postgres.lock import exclusive

OUTSIDE = Path("/var/lib/smsdesk")
"""Where root keeps what the service account cannot reach in its place: clusters, and copies of programs."""

_log = structlog.get_logger("smsdesk.postgres")


def cluster_home(data_dir: Path, account: Account) -> Path:
    """Gives the directory of the cluster, making it: `postgres` in the data folder.

    For root it lies in /var/lib/smsdesk, with a symbolic link `postgres`, where the account cannot reach the folder.
    Raises PostgresError where a cluster that was there is gone or can no longer be reached.
    """
    home = data_dir / "postgres"
    if home.is_symlink() and not home.exists():
        raise PostgresError(
            f"{home} points to {home.readlink()}, and nothing is there. Bring that directory back, or remove the link "
            "to begin with an empty database."
        )
    if account.switch and not home.exists() and not account.can_pass(data_dir):
        _keep_outside(home, account)
    account.make_directory(home)
    home = home.resolve()
    if not account.can_pass(home):
        raise PostgresError(
            f"The account {account.name} cannot reach the cluster in {home}. Let it pass (chmod o+x on the directories "
            "above), or move the data folder to where it can."
        )
    return home


def _keep_outside(link: Path, account: Account) -> None:
    name = hashlib.sha256(os.fsencode(link.parent)).hexdigest()[:12]
    homes = (_make_public(OUTSIDE) / f"{name}-{number}" for number in itertools.count(1))
    # A folder that was removed and made again begins empty; the cluster of the removed one stays for a person to judge.
    home = next(home for home in homes if not home.exists())
    account.make_directory(home)
    link.symlink_to(home)
    _log.warning(
        "the database lies outside the data folder, which its account cannot enter",
        link=str(link),
        cluster=str(home),
        unreachable_for=account.name,
    )


def readable_binaries(found: Binaries, account: Account) -> Binaries:
    """Gives binaries that the account can run: those found, else a copy of their whole tree, made once on a machine."""
    if not account.switch or account.can_pass(found.bin / "postgres"):
        return found
    # A tree keeps the places of its parts: the programs find their libraries by a relative path.
    anchor = Path(os.path.commonpath([tree.parent for tree in found.trees]))
    content = hashlib.sha256((found.bin / "postgres").read_bytes()).hexdigest()[:12]
    _make_public(OUTSIDE)
    with exclusive(OUTSIDE / "binaries.lock"):
        copy = _make_public(OUTSIDE / "binaries") / f"{found.version}-{content}"
        if not copy.is_dir():
            _copy(found.trees, anchor, copy)
            _log.info(
                "PostgreSQL programs copied to where its account can read them",
                source=str(found.bin),
                copy=str(copy),
                readable_for=account.name,
            )
    return Binaries(copy / found.bin.relative_to(anchor), found.version)


def _copy(trees: tuple[Path, ...], anchor: Path, target: Path) -> None:
    unfinished = target.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for tree in trees:
        shutil.copytree(tree, unfinished / tree.relative_to(anchor), symlinks=True, copy_function=_copy_readable)
    for directory, _, _ in os.walk(unfinished):
        Path(directory).chmod(0o755)
    unfinished.rename(target)


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _make_public(directory: Path) -> Path:
    if not directory.is_dir():
        directory.mkdir(parents=True)
        directory.chmod(0o755)  # whatever our umask is; only what we have just made
    return directory
