"""The connection of a desk: who hears what, for how long, and what it says of its agent."""

import asyncio
import time

import pytest

from smsdesk.desk import live
from smsdesk.store.telling import Hint, tell
from tests.kit.desk import DeskKit
from tests.kit.live import listening
from tests.kit.processes import until


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace of minutes in tenths of a second."""
    monkeypatch.setattr(live, "PACE", live.Pace(beat=0.1, look=0.2, gather=0.05))


async def test_nobody_hears_nothing(desk: DeskKit) -> None:
    assert (await desk.nobody().get("/desk/live")).status == 303
    assert (await desk.nobody().get("/desk/live/here", **{"HX-Request": "true"})).status == 401
    john = await desk.person("john")
    assert (await john.get("/desk/live/here")).status == 204


async def test_it_is_a_stream_that_nobody_keeps_or_packs(desk: DeskKit) -> None:
    async with listening(await desk.person("john")) as heard:
        assert heard.headers["content-type"].startswith("text/event-stream")
        assert "no-store" in heard.headers["cache-control"]
        assert "content-encoding" not in heard.headers


async def test_it_gives_signs_of_life(desk: DeskKit, fast: None) -> None:
    async with listening(await desk.person("john")) as heard:
        await until(lambda: _true(heard.beats > 2), 5, "beats")


async def test_a_hint_is_told_when_its_transaction_commits(desk: DeskKit) -> None:
    async with listening(await desk.person("john")) as heard, listening(await desk.person("second")) as other:
        async with desk.services.db.transaction() as conn:
            await tell(conn, 1, Hint("agent", agent_ids=[1]))
            assert await heard.quiet(0.2) == set()
        await heard.heard("me")
        assert await other.quiet(0.2) == set()


async def test_a_session_that_ends_ends_it(desk: DeskKit, fast: None) -> None:
    async with listening(await desk.person("john")) as heard:
        await desk.db.execute("update agents set disabled_at = now() where agent_id = 1")
        await until(lambda: _true(heard.over and heard.ended), 5, "signed out")


async def test_a_new_role_counts_at_the_next_look(desk: DeskKit, fast: None) -> None:
    async with listening(await desk.person("john")) as heard:
        await desk.db.execute("update agents set role = 'supervisor' where tenant_id = 1 and agent_id = 1")

        async def told_of_the_floor() -> bool:
            async with desk.services.db.transaction() as conn:
                await tell(conn, 1, Hint("agent", agent_ids=[2]))
            return "board" in heard.topics

        await until(told_of_the_floor, 5, "the board")


async def test_a_server_that_ends_waits_for_no_stream(desk: DeskKit) -> None:
    async with asyncio.TaskGroup() as group:
        began, john = asyncio.Semaphore(0), await desk.person("john")

        async def one() -> None:
            async with listening(john) as heard:
                began.release()
                await until(lambda: _true(heard.ended), 10, "the end")

        for _ in range(100):
            group.create_task(one())
        for _ in range(100):
            await began.acquire()
        assert len(desk.services.hub) == 100
        before = time.monotonic()
        desk.services.hub.close()
    assert time.monotonic() - before < 1
    assert len(desk.services.hub) == 0


async def test_who_listens_is_present(desk: DeskKit) -> None:
    await desk.db.execute(
        """insert into agent_statuses (tenant_id, agent_id, status, since, idle_since)
        values (1, 1, 'available', now(), now())"""
    )
    async with listening(await desk.person("john")):
        await until(lambda: _present(desk), 5, "present")
    assert (await _present(desk) - desk.clock.now).total_seconds() == live.PRESENT_FOR


async def _present(desk: DeskKit):
    return await desk.db.fetchval("select present_until from agent_statuses where tenant_id = 1 and agent_id = 1")


async def _true(value: bool) -> bool:
    return value
