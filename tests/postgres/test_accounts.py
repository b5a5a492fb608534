import os
import pwd
import shutil
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from smsdesk.postgres import PostgresError, find_binaries, open_cluster, use_cluster
from smsdesk.postgres.place import OUTSIDE
from tests.kit.cluster import dsn_of, fetch, leave, postmaster

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


def owner(path: Path) -> str:
    return pwd.getpwuid(path.stat().st_uid).pw_name


def test_root_runs_it_as_the_named_account_and_stays_with_it(folder, monkeypatch):
    monkeypatch.setenv("SMSDESK_DB_USER", "nobody")
    with use_cluster(folder) as dsn:
        assert fetch(dsn, "select 1") == 1
        assert owner(Path(f"/proc/{postmaster(folder)}")) == "nobody"
    monkeypatch.setenv("SMSDESK_DB_USER", "daemon")
    with pytest.raises(PostgresError, match=r"SMSDESK_DB_USER is daemon, but the cluster in .* belongs to nobody"):
        open_cluster(folder)
    monkeypatch.delenv("SMSDESK_DB_USER")
    with use_cluster(folder) as dsn:
        assert fetch(dsn, "select 1") == 1
    assert owner(folder) == "root"


@pytest.mark.parametrize(
    ("account", "sentence"),
    [("no-such-account", "there is no account no-such-account on this machine"), ("root", "does not run as root")],
)
def test_an_account_that_cannot_be_is_refused(folder, monkeypatch, account, sentence):
    monkeypatch.setenv("SMSDESK_DB_USER", account)
    with pytest.raises(PostgresError, match=sentence):
        open_cluster(folder)


def test_an_ordinary_user_needs_nobody_else(folder, user):
    os.chown(folder, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    process = user(folder / "data", "nobody")
    dsn = dsn_of(process)
    assert fetch(dsn, "select 1") == 1
    assert {owner(path) for path in (folder / "data").rglob("*")} == {"nobody"}
    with use_cluster(folder / "data") as same:  # root comes to look, and shuts nobody out
        assert same == dsn
    leave(process)
    process = user(folder / "data", "nobody")
    assert fetch(dsn_of(process), "select 1") == 1
    leave(process)
    assert {owner(path) for path in (folder / "data").rglob("*")} == {"nobody"}


def test_the_folder_of_another_user_is_refused_in_a_sentence(folder, user):
    folder.joinpath("mine").mkdir(mode=0o755)
    process = user(folder / "mine", "nobody")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"The data folder {folder}/mine cannot be used: [Errno 13] Permission denied" in errors
    assert "Traceback" not in errors


def test_a_closed_home_stays_closed_and_the_cluster_lies_outside(folder, monkeypatch):
    home = folder / "home"
    home.mkdir(mode=0o700)
    data = home / "project" / ".smsdesk"
    data.mkdir(parents=True)
    monkeypatch.chdir(home)
    with capture_logs() as logs, use_cluster(data) as dsn:
        assert fetch(dsn, "select 1") == 1
    assert [entry["event"] for entry in logs].count(
        "the database lies outside the data folder, which its account cannot enter"
    ) == 1
    link = data / "postgres"
    assert link.is_symlink()
    assert link.readlink().parent == OUTSIDE
    assert (owner(link.readlink()), stat.S_IMODE(link.readlink().stat().st_mode)) == ("postgres", 0o700)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert owner(home) == owner(data) == "root"
    with capture_logs() as logs, use_cluster(data):
        pass
    assert "the database lies outside the data folder, which its account cannot enter" not in [
        entry["event"] for entry in logs
    ]
    kept = link.readlink().rename(OUTSIDE / "moved-away")
    with pytest.raises(PostgresError, match=r"points to .*, and nothing is there"):
        open_cluster(data)
    kept.rename(link.readlink())
    # Somebody who removes the folder and begins again gets an empty database, and the old one is not touched.
    old = link.readlink()
    link.unlink()
    with use_cluster(data):
        assert link.readlink() != old
        assert (old / "data" / "PG_VERSION").exists()
    shutil.rmtree(old)


def test_programs_in_a_closed_tree_are_copied_once_and_left_alone(folder, monkeypatch):
    closed = folder / "venv"
    closed.mkdir(mode=0o700)
    package = find_binaries().bin.parents[1]
    for tree in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(tree, closed / tree.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    with (closed / package.name / "pginstall" / "bin" / "postgres").open("ab") as program:
        program.write(b"\0this test's own")  # so that no copy of another run is met
    monkeypatch.setenv("SMSDESK_POSTGRES_BIN", str(closed / package.name / "pginstall" / "bin"))
    previous = set((OUTSIDE / "binaries").glob("*"))
    umask = os.umask(0o077)
    try:
        with use_cluster(folder / "data") as dsn:
            assert fetch(dsn, "select 1") == 1
    finally:
        os.umask(umask)
    [copy] = set((OUTSIDE / "binaries").glob("*")) - previous
    with capture_logs() as logs, use_cluster(folder / "data"):
        assert "PostgreSQL programs copied to where its account can read them" not in [entry["event"] for entry in logs]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert owner(copy) == "root"
    shutil.rmtree(copy)


def test_a_lock_file_that_is_a_link_is_not_followed(folder):
    target = folder / "precious"
    target.touch(mode=0o600)
    (folder / "postgres.lock").symlink_to(target)
    with pytest.raises(PostgresError, match="cannot be used"):
        open_cluster(folder)
    assert owner(target) == "root"
