"""The look for what carriers refused as opted out."""

import structlog

from smsdesk.jobs.opt_outs import OptOuts
from smsdesk.steps.begin import Begin
from smsdesk.store import consent
from smsdesk.store.db import Ids
from tests.store.outbox import NOW, OURS, TENANT, make_tenant, opened


async def test_every_tenant_with_something_new_is_looked_at(database: str) -> None:
    db = await opened(database)
    async with db.connection() as conn:
        await make_tenant(conn)
        await conn.execute(
            "insert into carrier_opt_outs (tenant_id, message_id, carrier_id, number, source, code, at) "
            "values (1, 7, 1, '+14155550100', $1, '21610', $2)", OURS, NOW,
        )  # fmt: skip
    job = OptOuts(db, Begin(db, Ids(), lambda: NOW, lambda: 0.5), structlog.get_logger())
    await job.take_over()
    await job.take_over()
    async with db.connection() as conn:
        assert await consent.is_opted_out(conn, TENANT, "+14155550100", OURS)
        assert await conn.fetchval("select count(*) from consent_history") == 1
    await db.close()
