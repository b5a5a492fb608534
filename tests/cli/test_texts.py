"""`smsdesk texts` on a database that has a doubtful text."""

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
