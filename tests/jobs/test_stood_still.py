"""A process that stood still for so long that others took it for dead sends nothing of what it had (ADR 0009)."""

from datetime import timedelta
from threading import Event

import pytest

from smsdesk.jobs import worker
from tests.jobs.test_failover import line
from tests.jobs.test_worker import eventually, queue, working
from tests.kit.lab import running_lab
from tests.store.outbox import OURS, make_tenant, opened, states

PARTS = 5


async def test_a_process_that_stood_still_writes_no_more_of_what_it_had(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FRESH", 0.8), ("RENEW", 0.2), ("NODE_LIFE", timedelta(seconds=1))):
        monkeypatch.setattr(worker, name, value)
    db = await opened(database)
    async with running_lab() as lab, working(db):
        async with db.connection() as conn:
            await make_tenant(conn)
            await conn.execute("insert into limits values (1, 'number', $1, 1, 1)", OURS)
            await conn.execute("update carriers set type = 'smpp', config = $1", line(lab))
        await queue(db, [1], parts=PARTS)
        async with db.connection() as conn:
            await conn.execute("update messages set body = repeat('a', $1) where message_id = 1", 153 * PARTS)

        async def begun() -> bool:
            return len(await lab.segments()) > 0

        await eventually(begun, "the first part at its handset")
        Event().wait(2.0)  # the whole loop, as under SIGSTOP

        async def doubtful() -> bool:
            async with db.connection() as conn:
                return (await states(conn))[1][0] == "doubtful"

        await eventually(doubtful, "the text in doubt")
        await queue(db, [2])

        async def delivered() -> bool:
            async with db.connection() as conn:
                return (await states(conn))[2][0] == "delivered"

        await eventually(delivered, "a text after that")
        assert len(await lab.segments()) - 1 < PARTS
    await db.close()
