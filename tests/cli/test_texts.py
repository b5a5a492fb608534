"""`smsdesk texts` on a database that has a doubtful text, and a receipt that fits none."""

import asyncio
import json

import asyncpg
import pytest

from tests.cli.conftest import Run
from tests.store.outbox import make_tenant, queue_texts


@pytest.fixture
async def doubtful(database: str) -> int:
    conn = await asyncpg.connect(database)
    await make_tenant(conn)
    await queue_texts(conn, [41], destination="+14155550100")
    await conn.execute("update texts set state = 'doubtful', attempt = 1")
    await conn.execute(
        "insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, claimed_at, state_at) "
        "values (1, 41, 1, 1, 41, 1, 'sending', now(), now())"
    )
    await conn.close()
    return 41


def test_list_and_settle(run: Run, doubtful: int) -> None:
    listed = run("texts", "doubtful", "acme")
    assert (listed.exit_code, "+14155550100" in listed.stdout) == (0, True)
    assert json.loads(run("texts", "doubtful", "acme", "--json").stdout)["doubtful"][0]["message_id"] == doubtful
    settled = run("texts", "settle", "acme", str(doubtful), "send_again", "--by", "Doe")
    assert settled.stdout == "message 41 is settled: send_again, by Doe\n"
    assert run("texts", "doubtful", "acme").stdout == "no text is in doubt\n"
    again = run("texts", "settle", "acme", str(doubtful), "sent")
    assert (again.exit_code, again.stderr) == (
        1,
        "error: message 41 is not a doubtful text of this tenant (any more)\n",
    )
    assert "there is no tenant" in run("texts", "doubtful", "nobody").stderr


def test_show(run: Run, doubtful: int) -> None:
    shown = run("texts", "show", "acme", str(doubtful))
    assert shown.stdout.startswith(
        "doubtful since 2026-03-01 12:00:00 UTC: May have been sent; being checked.\nTo do: "
    )
    assert "from +16285550199 to +14155550100: hello 41\n" in shown.stdout
    assert [line.split()[:4] for line in shown.stdout.splitlines() if "sending" in line] == [
        ["1", "1", "lab", "sending"]
    ]
    found = json.loads(run("texts", "show", "acme", str(doubtful), "--json").stdout)
    assert (found["says"], found["text"]["state"]) == ("May have been sent; being checked", "doubtful")
    assert [part["carrier"] for part in found["text"]["ledger"]] == ["lab"]
    unknown = run("texts", "show", "acme", "42")
    assert (unknown.exit_code, unknown.stderr) == (1, "error: this tenant sent no text with the message_id 42\n")


async def test_receipts_that_fit_no_text(run: Run, doubtful: int, database: str) -> None:
    assert (await asyncio.to_thread(run, "texts", "orphans", "acme")).stdout == "every receipt fits a text\n"
    conn = await asyncpg.connect(database)
    await conn.execute(
        "insert into orphan_receipts (tenant_id, carrier_id, carrier_part_id, state, code, number, at) "
        "values (1, 1, '[red]x\x1b[2J', 'delivered', 'DELIVRD', '+14155550100', '2026-03-01 12:00:00Z')"
    )
    await conn.close()
    listed = await asyncio.to_thread(run, "texts", "orphans", "acme", env={"COLUMNS": "120"})
    head, row = listed.stdout.splitlines()
    assert head.split() == ["carrier", "its", "id", "state", "code", "phone", "at"]
    assert row.split() == [
        "lab", "[red]x\\x1b[2J", "delivered", "DELIVRD", "+14155550100", "2026-03-01", "12:00:00", "UTC",
    ]  # fmt: skip
    (found,) = json.loads((await asyncio.to_thread(run, "texts", "orphans", "acme", "--json")).stdout)["orphans"]
    assert (found["carrier"], found["state"], found["number"]) == ("lab", "delivered", "+14155550100")
