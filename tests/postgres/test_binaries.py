import sys
from pathlib import Path

import pytest

from smsdesk.postgres import PostgresError, find_binaries, use_cluster
from smsdesk.postgres.binaries import PROGRAMS, WHEEL, installed


def fake(folder: Path, said: str, programs: tuple[str, ...] = PROGRAMS) -> Path:
    folder.mkdir()
    for name in programs:
        (folder / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_wheel_comes_first_and_its_code_is_never_imported(monkeypatch):
    monkeypatch.delenv("SMSDESK_POSTGRES_BIN", raising=False)
    found = find_binaries()
    assert found.bin.parts[-3:] == (WHEEL, "pginstall", "bin")
    assert WHEEL not in sys.modules
    assert [tree.name for tree in found.trees] == ["pginstall", f"{WHEEL}.libs"]


def test_no_binaries_at_all_names_the_three_remedies(tmp_path):
    with pytest.raises(PostgresError) as refusal:
        find_binaries([tmp_path, tmp_path / "missing"])
    assert str(refusal.value) == (
        "There is no PostgreSQL to run: set SMSDESK_DATABASE_URL to a server's address, or install the embedded one "
        "(pip install 'smsdesk[embedded]'), or install PostgreSQL 15 or newer on this machine."
    )


@pytest.mark.parametrize(
    ("said", "programs"),
    [
        ("postgres (PostgreSQL) 14.9", PROGRAMS),
        ("postgres (PostgreSQL) 16.1", ("postgres", "initdb")),
        ("what?", PROGRAMS),
    ],
)
def test_what_cannot_be_used_is_passed_over(tmp_path, said, programs):
    good = fake(tmp_path / "good", "postgres (PostgreSQL) 16.1 (Some 16.1-1)")
    found = find_binaries([fake(tmp_path / "bad", said, programs), good])
    assert (found.bin, found.version, found.major) == (good, "16.1", 16)


def test_a_program_that_does_not_run_here_is_passed_over(tmp_path):
    bad = fake(tmp_path / "bad", "")
    (bad / "postgres").write_bytes(b"\x7fELF of another machine")
    assert find_binaries([bad, fake(tmp_path / "good", "postgres (PostgreSQL) 18beta1")]).major == 18


def test_a_named_directory_is_used_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("SMSDESK_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(PostgresError, match=f"SMSDESK_POSTGRES_BIN names {tmp_path}, which cannot be used"):
        find_binaries()
    with pytest.raises(PostgresError, match="SMSDESK_POSTGRES_BIN names"), use_cluster(tmp_path / "data"):
        raise AssertionError("there is nothing to start")
    old = fake(tmp_path / "old", "postgres (PostgreSQL) 13.2")
    monkeypatch.setenv("SMSDESK_POSTGRES_BIN", str(old))
    with pytest.raises(PostgresError, match=r"version 13\.2 is older than 15"):
        find_binaries()


def test_without_the_wheel_the_machine_s_own_is_taken(tmp_path, machine_bin):
    found = find_binaries([tmp_path, *installed()])
    assert found.bin == machine_bin
    assert found.trees == (machine_bin.parent,)
