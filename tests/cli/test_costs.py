"""`smsdesk costs` on a database with some use."""

import json
from datetime import UTC, datetime

import asyncpg
import pytest

from tests.cli.conftest import Run
from tests.store.outbox import make_tenant


@pytest.fixture
async def used(database: str) -> str:
    """Two texts of this day and one of long ago."""
    today = datetime.now(UTC).date()
    conn = await asyncpg.connect(database)
    await make_tenant(conn)
    await conn.execute(
        "insert into usage values (1, $1, 1, '+16285550199', 'USD', 1000, 1500, 11.850000),"
        " (1, $1, 1, '+16285550177', 'USD', 1, 1, 0.0079), (1, $1, 1, '+16285550177', '', 2, 2, 0),"
        " (1, '2026-01-01', 1, '+16285550199', 'USD', 7, 7, 1)",
        today,
    )
    await conn.close()
    return str(today)


def test_a_table_with_totals_for_each_currency(run: Run, used: str) -> None:
    shown = run("costs", "acme", "--by", "number")
    assert shown.exit_code == 0, shown.stderr
    assert [line.split() for line in shown.stdout.splitlines()] == [
        ["number", "texts", "segments", "price"],
        ["+16285550177", "1", "1", "0.0079", "USD"],
        ["+16285550177", "2", "2", "no", "rate"],
        ["+16285550199", "1,000", "1,500", "11.85", "USD"],
        ["all", "1,001", "1,501", "11.8579", "USD"],
        ["all", "2", "2", "no", "rate"],
    ]


def test_json_of_some_days(run: Run, used: str) -> None:
    told = json.loads(run("costs", "acme", "--from", "2026-01-01", "--to", "2026-01-31", "--json").stdout)
    assert told == {"costs": [{"group": "2026-01-01", "currency": "USD", "texts": 7, "segments": 7, "price": "1"}]}
    today = json.loads(run("costs", "acme", "--from", used, "--by", "carrier", "--json").stdout)
    assert [(one["group"], one["texts"]) for one in today["costs"]] == [("lab", 1001), ("lab", 2)]


def test_what_cannot_be_summed(run: Run, used: str) -> None:
    assert (
        run("costs", "acme", "--from", "2020-01-01", "--to", "2020-01-02").stdout == "nothing was sent in these days\n"
    )
    backwards = run("costs", "acme", "--from", "2026-03-02", "--to", "2026-03-01")
    assert (backwards.exit_code, backwards.stderr) == (
        1,
        "error: from (2026-03-02) must not be after to (2026-03-01)\n",
    )
    assert run("costs", "acme", "--from", "yesterday").exit_code == 2
    assert 'there is no tenant "nobody"' in run("costs", "nobody").stderr
