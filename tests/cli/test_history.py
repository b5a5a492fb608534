"""`smsdesk history` on a database with months in it."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from smsdesk.domain.periods import first_id, month_of, period_of
from smsdesk.store import periods
from tests.cli.conftest import Run
from tests.kit.cluster import fetch
from tests.store.outbox import make_tenant, queue_texts

NOW = datetime.now(UTC)
PRESENT = period_of(NOW)
OLD, NEXT = PRESENT - 3, PRESENT - 2


@pytest.fixture
async def months(database: str) -> str:
    """A chat that ended three months ago, and one of this month."""
    conn = await asyncpg.connect(database)
    await make_tenant(conn)
    for period, ago in ((OLD, 90), (NEXT, 60), (PRESENT, 0)):
        await periods.open_period(conn, period, NOW)
        await periods.move_on(conn, period, NOW - timedelta(days=ago))
    await queue_texts(conn, [first_id(OLD) + 5, first_id(PRESENT) + 5])
    await conn.execute("delete from texts")
    await conn.close()
    return database


def listed(run: Run, *words: str, **env: str) -> dict[str, dict[str, object]]:
    shown = run("history", "--json", *words, env=env)
    assert shown.exit_code == 0, shown.stderr
    found = json.loads(shown.stdout)
    return {one["month"]: one for one in found.get("months", found.get("dropped"))}


def test_months_with_what_each_weighs_and_when_it_goes(run: Run, months: str) -> None:
    found = listed(run)
    assert list(found) == ["before", *map(month_of, (OLD, NEXT, PRESENT))]
    assert [one["chats"] for one in found.values()] == [0, 1, 0, 1]
    assert [one["goes"] for one in found.values()] == ["kept for ever"] * 3 + ["in use"]
    old = found[month_of(OLD)]
    assert old["octets_of_a_chat"] == old["octets"] > 50_000  # type: ignore[operator]
    table = run("history").stdout
    assert table.splitlines()[0].split() == ["month", "chats", "rows", "bytes", "of", "a", "chat", "goes"]
    by_days = listed(run, SMSDESK_HISTORY_DAYS="3000")
    assert str(by_days[month_of(OLD)]["goes"]).startswith("an older month stays")
    assert str(by_days["before"]["goes"]).startswith("kept until 20")
    assert listed(run, SMSDESK_HISTORY_DAYS="7")[month_of(OLD)]["goes"] == "with the next sweep"


def test_dropping_by_hand_shows_a_plan_first(run: Run, months: str) -> None:
    plan = run("history", "--drop-before", month_of(NEXT))
    assert plan.exit_code == 0
    assert month_of(OLD) in plan.stdout
    assert "nothing was changed: add --yes" in plan.stdout
    assert list(listed(run)) == ["before", *map(month_of, (OLD, NEXT, PRESENT))]
    done = run("history", "--drop-before", month_of(NEXT), "--yes")
    assert f"dropped: before, {month_of(OLD)}\n" in done.stdout
    left = listed(run)
    assert list(left) == [month_of(NEXT), month_of(PRESENT)]
    assert [one["chats"] for one in left.values()] == [0, 1]
    assert "there is no month before" in run("history", "--drop-before", month_of(NEXT)).stdout


def test_what_has_to_stay_stops_all_of_it(run: Run, months: str) -> None:
    fetch(months, f"update chats set ends_at = null, status = 'ongoing' where chat_id < {first_id(PRESENT)}")
    refused = run("history", "--drop-before", month_of(PRESENT), "--yes")
    assert refused.exit_code == 1
    assert refused.stderr == f"error: {month_of(OLD)} has to stay: chat {first_id(OLD) + 5} is open\n"
    assert "before" in listed(run), "all or none"


def test_what_is_no_month(run: Run, months: str) -> None:
    assert run("history", "--drop-before", "yesterday").exit_code == 2
    assert "SMSDESK_HISTORY_DAYS is '3': it must be a whole number from 7 to 36,500" in run(
        "history", env={"SMSDESK_HISTORY_DAYS": "3"}
    ).stderr  # fmt: skip
