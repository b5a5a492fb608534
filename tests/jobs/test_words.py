"""The job that makes what was said searchable: all of it, and no tenant waits for another's flood."""

import pytest

from smsdesk.jobs import words
from tests.store.outbox import NOW, make_tenant, opened, queue_texts


async def test_a_flood_of_one_tenant_keeps_no_other_waiting(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "AT_ONCE", 20)
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
        await queue_texts(conn, range(1, 101))
        await conn.execute(
            "insert into tenants (tenant_id, subdomain, settings, created_at, changed_at)"
            " values (2, 'foo', '{}', now(), now())"
        )
        await conn.execute(
            "insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)"
            " values (2, 1, 1, 'end_user', 'hello', 'gsm7', 1, $1)",
            NOW,
        )
    await words.Words(db, lambda: NOW).index()
    async with db.connection() as conn:
        written = [row[0] for row in await conn.fetch("select tenant_id from message_words order by ctid")]
    assert written == [*[1] * 20, 2, *[1] * 80]
    await db.close()
