"""Jobs for CRMs: what is asked is written down, what is down is waited for, and nothing is posted twice."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from smsdesk.actions.record_ticket import record_ticket
from smsdesk.jobs import crm as jobs
from smsdesk.jobs import crm_visit
from smsdesk.jobs.crm_visit import GIVE_UP, LEASE
from smsdesk.jobs.worker import Machine, Worker
from smsdesk.media.stores import Stores
from smsdesk.steps.crm import chat_opened
from smsdesk.steps.work import Work
from smsdesk.store import crm, crm_backlog
from smsdesk.store.crm import Ended, Learned
from smsdesk.store.db import Database, Ids
from tests.crm.desk import ENVIRON, Desk, opened
from tests.kit.processes import environment, until

LIMIT = 30.0
WORKER = Path(__file__).parents[1] / "crm" / "crm_worker.py"


@pytest.fixture
async def desk(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(jobs, "LOOK", 0.01)
    async with opened(database) as desk:
        yield desk


async def test_a_ticket_that_a_send_named_is_linked_and_the_consumer_found(desk: Desk) -> None:
    await desk.add_tenant()
    ticket_id = desk.account.add_ticket()
    number = await desk.add_chat(1, "link", ticket_id=str(ticket_id))
    user = desk.account.add_user(phone=number)
    async with desk.working():
        await desk.reached(10, "done")
    assert await desk.chat(1) == (str(ticket_id), f"{desk.url}/agent/tickets/{ticket_id}", str(user))


async def test_a_transcript_waits_for_the_ticket_of_its_chat(desk: Desk) -> None:
    await desk.add_tenant()
    desk.account.refuse["GET /users/search"] = web.Response(status=503)
    ticket_id = desk.account.add_ticket()
    await desk.add_chat(1, "link", "transcript", ticket_id=str(ticket_id), said="where is my order?")
    async with desk.working():
        await desk.reached(10, "queued", "503")
        for _ in range(3):
            asked = len(desk.account.calls)

            async def asked_again(before: int = asked) -> bool:
                await desk.wait_a_little()
                return len(desk.account.calls) > before

            await until(asked_again, LIMIT, "another attempt")
        assert (await desk.jobs())[11] == ("queued", None)
        desk.account.refuse.clear()
        await until(desk.all_done, LIMIT, "the transcript posted")
    (note,) = desk.account.notes(ticket_id)
    assert note.startswith("where is my order?")


async def test_a_crm_that_is_down_delays_nobody_and_loses_nothing(desk: Desk) -> None:
    await desk.add_tenant(1, tickets="create")
    await desk.add_tenant(2, tickets="create", tags=["second"])
    for chat_id in range(1, 21):
        await desk.add_chat(chat_id, "transcript")
    await desk.add_chat(21, "transcript", tenant_id=2)
    down = Desk(desk.db, desk.account, "http://127.0.0.1:1", desk.clock)
    async with desk.db.connection() as conn:
        await conn.execute(
            "update tenants set settings = $1 where tenant_id = 1", {"crm": down.setup(tickets="create")}
        )
    async with desk.working():
        await desk.reached(210, "done", tenant_id=2)

        async def found_out() -> list[str]:
            return [reason for _, reason in (await desk.jobs()).values() if reason]

        tried = await until(found_out, LIMIT, "the CRM that is down")
        assert len(tried) <= jobs.AT_ONCE, "one group found out for all"
        assert "cannot be reached" in tried[0]
        async with desk.db.connection() as conn:
            setup = desk.setup(tickets="create")
            await conn.execute("update tenants set settings = $1 where tenant_id = 1", {"crm": setup})
        await until(desk.all_done, LIMIT, "twenty transcripts posted")
    posted = [len(desk.account.notes(ticket["id"])) for ticket in desk.account.tickets]
    assert posted == [2] * 21, "an opening and one transcript under each"


async def test_what_cannot_heal_has_a_reason_and_is_tried_again_by_a_person(desk: Desk) -> None:
    await desk.add_tenant()
    await desk.add_chat(1, "link", ticket_id="35")
    async with desk.working():
        await desk.reached(10, "failed", "no ticket 35")
        asked = len(desk.account.calls)
        desk.clock.forward(days=2)
        assert desk.account.add_ticket() == 35
        async with desk.db.connection() as conn:
            assert await crm.find_due(conn, desk.clock()) == []
            assert await crm_backlog.retry_jobs(conn, 1, None, desk.clock()) == 1
        await desk.reached(10, "done")
    assert len(desk.account.calls) > asked
    assert (await desk.chat(1))[0] == "35"


async def test_a_chat_without_a_ticket_gets_one_if_the_consumer_said_something(desk: Desk) -> None:
    await desk.add_tenant(tickets="create", contacts="create")
    await desk.add_chat(1, "transcript")
    await desk.add_chat(2, "transcript", said=None)
    async with desk.working():
        await desk.reached(10, "done")
        await desk.reached(20, "done", "no ticket")
    assert len(desk.account.tickets) == len(desk.account.users) == 1
    ticket, _, contact = await desk.chat(1)
    assert (ticket, contact) == (str(desk.account.tickets[0]["id"]), str(desk.account.users[0]["id"]))
    assert await desk.chat(2) == (None, None, None)


async def test_a_chat_goes_under_the_open_ticket_of_its_consumer(desk: Desk) -> None:
    await desk.add_tenant(tickets="append")
    number = await desk.add_chat(1, "contact", "transcript")
    ticket_id = desk.account.add_ticket(requester_id=desk.account.add_user(phone=number))
    async with desk.working():
        await desk.reached(11, "done")
    assert len(desk.account.tickets) == 1
    assert len(desk.account.notes(ticket_id)) == 1


async def test_only_given_tickets_and_no_transcripts_by_setting(desk: Desk) -> None:
    await desk.add_tenant(transcripts=False)
    ticket_id = desk.account.add_ticket()
    await desk.add_chat(1, "transcript", ticket_id=str(ticket_id))
    await desk.add_chat(2, "transcript")
    async with desk.working():
        await desk.reached(10, "done", "switched off")
        await desk.reached(20, "done", "switched off")
    assert (desk.account.notes(ticket_id), len(desk.account.tickets)) == ([], 1)


async def test_nothing_is_held_while_the_crm_thinks(desk: Desk, database: str) -> None:
    await desk.add_tenant()
    ticket_id = desk.account.add_ticket()
    await desk.add_chat(1, "link", ticket_id=str(ticket_id))
    desk.account.lose_answer_to = f"GET /tickets/{ticket_id}"
    narrow = Database(database, size=1)
    await narrow.open()
    async with desk.working(narrow):
        await desk.account.lost.wait()
        async with asyncio.timeout(5), narrow.connection() as conn:
            idle = "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
            assert await conn.fetchval(idle) == 0
        assert (await desk.jobs())[10] == ("queued", None)
        jobs_drain, jobs.DRAIN = jobs.DRAIN, 0.01
    jobs.DRAIN = jobs_drain
    await narrow.close()


async def test_an_open_visit_ends_in_good_order_with_its_process(desk: Desk) -> None:
    await desk.add_tenant(tickets="create")
    for chat_id in range(1, 9):
        await desk.add_chat(chat_id, "transcript")

    async def begun() -> bool:
        return len(desk.account.calls) > 1

    async with desk.working():
        await until(begun, LIMIT, "a first request")
    reasons = set((await desk.jobs()).values())
    assert ("done", None) in reasons
    assert reasons <= {("done", None), ("queued", None)}
    async with desk.db.connection() as conn:
        leased = await conn.fetchval("select count(*) from crm_jobs where due_at > $1", desk.clock())
    assert leased == 0, "what was begun was recorded, and nothing else was begun"


async def test_a_worker_that_has_ended_has_nothing_left_to_do(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visit that went on would find the database closed."""
    monkeypatch.setattr(jobs, "DRAIN", 1.0)
    monkeypatch.setenv("ZENDESK_TOKEN", ENVIRON["ZENDESK_TOKEN"])
    await desk.add_tenant()
    ticket_id = desk.account.add_ticket()
    await desk.add_chat(1, "link", ticket_id=str(ticket_id))
    desk.account.lose_answer_to = f"GET /tickets/{ticket_id}"
    machine = Machine("test", desk.clock, lambda: 0.5, structlog.get_logger())
    before = asyncio.all_tasks()
    working = asyncio.create_task(Worker(desk.db, Ids(), Stores(Path(), {}, desk.clock), machine).run())
    await desk.account.lost.wait()
    working.cancel()
    await asyncio.wait({working})
    left = [str(task) for task in asyncio.all_tasks() - before]
    assert working.cancelled()
    assert not [task for task in left if "RequestHandler" not in task], "those are the CRM's, which is in this process"


async def test_a_crm_that_hangs_is_given_up_for_now(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm_visit, "LONGEST_VISIT", 0.2)
    await desk.add_tenant()
    ticket_id = desk.account.add_ticket()
    await desk.add_chat(1, "link", ticket_id=str(ticket_id))
    desk.account.lose_answer_to = f"GET /tickets/{ticket_id}"
    async with desk.working():
        await desk.reached(10, "queued", "took longer")


@pytest.mark.parametrize(("attempt", "least", "most"), [(0, 5, 5), (3, 40, 40), (30, 86_400, 86_400)])
async def test_pauses_double_up_to_a_day(desk: Desk, attempt: int, least: int, most: int) -> None:
    await desk.add_tenant()
    desk.account.refuse["GET .*"] = web.Response(status=500)
    await desk.add_chat(1, "link", ticket_id="35")
    async with desk.db.connection() as conn:
        await conn.execute("update crm_jobs set attempt = $1", attempt)
    async with desk.working():
        await desk.reached(10, "queued", "500")
    assert least <= (await desk.due_at(10) - desk.clock.now).total_seconds() <= most


async def test_a_crm_that_asks_for_patience_gets_it(desk: Desk) -> None:
    await desk.add_tenant()
    desk.account.refuse["GET .*"] = web.Response(status=429, headers={"Retry-After": "200"})
    for chat_id in range(1, 11):
        await desk.add_chat(chat_id, "link", ticket_id="35")
    async with desk.working():
        for chat_id in range(1, jobs.AT_ONCE + 1):
            await desk.reached(10 * chat_id, "queued", "429")
        asked = len(desk.account.calls)
        due_at = desk.clock.now + timedelta(seconds=200)
        for tenant_id in (2, 3):
            await desk.add_tenant(tenant_id)
            await desk.add_chat(9 + tenant_id, "link", ticket_id="35", tenant_id=tenant_id)
            await desk.reached(90 + 10 * tenant_id, "queued", "429", tenant_id=tenant_id)
            desk.clock.forward(seconds=95)
    assert asked == jobs.AT_ONCE
    assert len(desk.account.calls) == asked + 2, "the tenant's other jobs wait as well"
    assert await desk.due_at(10) == due_at


async def test_a_month_of_failures_is_enough(desk: Desk) -> None:
    await desk.add_tenant()
    desk.account.refuse["GET .*"] = web.Response(status=500)
    await desk.add_chat(1, "link", ticket_id="35")
    desk.clock.now += GIVE_UP + timedelta(seconds=1)
    async with desk.working():
        await desk.reached(10, "failed", "given up after 30 days: the CRM answered 500")


async def test_a_secret_that_is_not_here_is_waited_for(desk: Desk) -> None:
    await desk.add_tenant()
    await desk.add_chat(1, "link", ticket_id=str(desk.account.add_ticket()))
    desk.environ.clear()
    async with desk.working():
        await desk.reached(10, "queued", "ZENDESK_TOKEN is not set")
        desk.environ.update(ENVIRON)
        await until(desk.all_done, LIMIT, "the ticket linked")


async def test_without_a_crm_jobs_wait(desk: Desk) -> None:
    await desk.add_tenant()
    await desk.add_chat(1, "link", ticket_id="35")
    async with desk.db.connection() as conn:
        await conn.execute("update tenants set settings = settings - 'crm'")
        assert await crm.find_due(conn, desk.clock()) == []
        await chat_opened(Work(conn, 1, desk.clock(), Ids(), lambda: 0.5), 1)
    assert await desk.jobs() == {10: ("queued", None)}


async def test_a_chat_asks_who_its_consumer_is_once_however_often_it_is_told_to(desk: Desk) -> None:
    await desk.add_tenant()
    await desk.add_chat(1, "transcript")
    number = await desk.add_chat(2)
    user = desk.account.add_user(phone=number)
    ids = Ids()
    for _ in range(2):
        async with desk.db.transaction() as conn:
            await chat_opened(Work(conn, 1, desk.clock(), ids, lambda: 0.5), 2)
    (asked,) = (await desk.jobs()).keys() - {10}
    async with desk.working():
        await desk.reached(asked, "done")
    assert (await desk.chat(2))[2] == str(user)


async def test_two_workers_do_each_job_once(desk: Desk) -> None:
    await desk.add_tenant(tickets="create")
    for chat_id in range(1, 31):
        await desk.add_chat(chat_id, "transcript")
    async with desk.working(), desk.working():
        await until(desk.all_done, LIMIT, "thirty transcripts posted")
    posted = [call for call in desk.account.calls if call.startswith("PUT")]
    assert len(posted) == len(set(posted)) == 30


async def test_an_attempt_whose_lease_ran_out_ends_nothing(desk: Desk) -> None:
    await desk.add_tenant()
    await desk.add_chat(1, "link", ticket_id="35")
    async with desk.db.connection() as conn:
        (first,) = await crm.claim(conn, 1, desk.clock(), desk.clock() + LEASE, 9)
        assert await crm.claim(conn, 1, desk.clock(), desk.clock() + LEASE, 9) == []
        desk.clock.now += LEASE
        (second,) = await crm.claim(conn, 1, desk.clock(), desk.clock() + LEASE, 9)
    failed, learned = Ended("failed", desk.clock(), "too late"), Learned("c-1", "35", "https://crm.example.com/35")
    assert not await record_ticket(desk.db, 1, first, learned, failed, desk.clock())
    assert (await desk.jobs())[10] == ("queued", None)
    assert await desk.chat(1) == ("35", "https://crm.example.com/35", "c-1"), "what was learned is true all the same"
    assert await record_ticket(desk.db, 1, second, Learned(), Ended("done", desk.clock()), desk.clock())
    assert (await desk.jobs())[10] == ("done", None)


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", ["POST /tickets", "PUT /tickets/35", "POST /users/create_or_update"])
async def test_a_kill_after_the_crm_has_written_and_before_we_know_posts_nothing_twice(
    desk: Desk, database: str, killed_at: str
) -> None:
    await desk.add_tenant(tickets="create", contacts="create")
    await desk.add_chat(1, "transcript", said="where is my order?")
    desk.account.lose_answer_to = killed_at
    variables = environment(database, **ENVIRON, PYTHONPATH=":".join(sys.path))
    process = await asyncio.create_subprocess_exec(sys.executable, str(WORKER), env=variables)
    try:
        async with asyncio.timeout(30):
            await desk.account.lost.wait()
    finally:
        process.kill()
        await process.wait()
    assert (await desk.jobs())[10] == ("queued", None)
    desk.account.lose_answer_to = ""
    desk.account.forget_keys()
    desk.clock.now = await desk.due_at(10)
    async with desk.working():
        await desk.reached(10, "done")
    assert len(desk.account.users) == len(desk.account.tickets) == 1
    _, transcript = desk.account.notes(35)
    assert transcript.startswith("where is my order?")
    assert (await desk.chat(1))[0] == "35"
