"""What `smsdesk doctor` says of tenants' CRMs."""

from datetime import timedelta

from smsdesk.cli.crm_checks import LONG, check_crms
from tests.crm.desk import ENVIRON, Desk, opened


async def said(desk: Desk, environ: dict[str, str]) -> list[tuple[str, str, str]]:
    async with desk.db.connection() as conn:
        found = await check_crms(conn, environ, desk.clock())
    return [(one.check, one.grade, one.says) for one in found]


async def test_a_crm_in_order_and_none(database: str) -> None:
    async with opened(database) as desk:
        assert await said(desk, {}) == []
        await desk.add_tenant()
        await desk.add_chat(1, "link", ticket_id="35")
        assert await said(desk, ENVIRON) == [("crm tenant1", "ok", "zendesk, 1 jobs wait")]


async def test_what_a_person_has_to_see_to(database: str) -> None:
    async with opened(database) as desk:
        await desk.add_tenant()
        await desk.add_chat(1, "link", "transcript", ticket_id="35")
        async with desk.db.connection() as conn:
            await conn.execute("update crm_jobs set state = 'failed', reason = 'no ticket 35' where job_id = 10")
        desk.clock.now += timedelta(seconds=LONG + 1)
        grades = [(grade, says) for _, grade, says in await said(desk, {})]
    assert grades == [
        ("broken", "a secret is not here"),
        ("warning", "1 jobs failed: no ticket 35"),
        ("warning", "1 jobs wait, the oldest for 0.3 h: not tried yet"),
    ]
