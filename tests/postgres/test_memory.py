"""How much the server keeps of what it read, and what of it is there again after a restart."""

import os
import time
from pathlib import Path

import pytest

from smsdesk.postgres import use_cluster
from smsdesk.postgres.memory import LEAST, MOST, memory_limit, page_memory
from tests.kit.cluster import fetch

MB = 1 << 20


@pytest.mark.parametrize(
    ("name", "said", "limit"),
    [
        ("memory.max", "536870912\n", 512 * MB),
        ("memory/memory.limit_in_bytes", "1073741824\n", 1024 * MB),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ("other", "1\n", None),
    ],
)
def test_a_container_has_what_it_is_allowed(tmp_path: Path, name: str, said: str, limit: int | None) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(said)
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert memory_limit(tmp_path) == (min(limit, whole) if limit else whole)


def test_pages_take_a_quarter_within_bounds() -> None:
    assert [page_memory(limit * MB) for limit in (100, 512, 2048, 24_000, 10_000_000)] == [
        LEAST, 128 * MB, 512 * MB, 6000 * MB, MOST,
    ]  # fmt: skip


def test_what_was_in_use_is_read_again_after_a_restart(made: Path) -> None:
    with use_cluster(made) as dsn:
        assert fetch(dsn, "select setting::bigint * 8192 from pg_settings where name = 'shared_buffers'") == (
            page_memory(memory_limit()) // MB * MB
        )
        fetch(dsn, "create table busy as select n, repeat('x', 1000) as filler from generate_series(1, 8000) n")
        assert fetch(dsn, "select count(*) from busy") == 8000
        pages = fetch(dsn, "select pg_relation_size('busy') / 8192")
    with use_cluster(made) as dsn:
        read = "select blks_read from pg_stat_database where datname = current_database()"
        until = time.monotonic() + 30
        while fetch(dsn, read) < pages:  # nobody has asked for the table
            assert time.monotonic() < until, "the pages were not read again"
