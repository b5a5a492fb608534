"""A desk that reads slowly, and a database that goes away."""

import asyncio

from smsdesk.desk.stream import MOST, Stream, Watch
from smsdesk.store.telling import Hint, tell
from tests.kit.desk import DeskKit
from tests.kit.live import listening

WATCH = Watch(1, 1, False)


async def test_what_comes_twice_is_told_once() -> None:
    stream = Stream(WATCH)
    for _ in range(1000):
        stream.add("mine")
    assert await stream.news(0) == {"mine": ""}
    assert await stream.news(0.01) == {}


async def test_a_desk_that_does_not_read_keeps_no_list() -> None:
    stream = Stream(WATCH)
    for n in range(10 * MOST):
        stream.add(f"chat-{n}")
    assert len(await stream.news(0)) <= MOST
    stream.add("all")
    stream.add("mine")
    assert await stream.news(0) == {"all": ""}


async def test_the_floor_is_looked_at_once_a_second_and_once_after() -> None:
    stream = Stream(WATCH)
    stream.add("board")
    assert await stream.news(0) == {"board": ""}
    for _ in range(50):
        stream.add("board")
    assert await stream.news(0.2) == {}
    assert await stream.news(2) == {"board": ""}
    assert await stream.news(1.2) == {}


async def test_after_each_gap_everybody_looks_at_everything(desk: DeskKit) -> None:
    async with listening(await desk.person("john")) as heard:
        await desk.db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where query like 'LISTEN%' and datname = current_database()"
        )
        await heard.heard("all")
        heard.forget()
        async with desk.services.db.transaction() as conn:
            await tell(conn, 1, Hint("agent", agent_ids=[1]))
        await heard.heard("me")


async def test_what_the_api_accepts_is_seen_on_the_floor(desk: DeskKit) -> None:
    async with listening(await desk.person("supervisor")) as heard, listening(await desk.person("john")) as his:
        async with desk.services.db.connection() as conn:
            await tell(conn, 1, Hint("floor"))
        await heard.heard("board")
        assert await his.quiet(0.1) == set()


async def test_a_hint_that_cannot_be_read_harms_nobody(desk: DeskKit) -> None:
    async with listening(await desk.person("john")) as heard:
        for payload in ("", "{}", "[1]", '{"t": 1, "w": "chat", "c": 99999}', '{"t": "x"}'):
            await desk.db.execute("select pg_notify('desk', $1)", payload)
        await asyncio.sleep(0)
        async with desk.services.db.connection() as conn:
            await tell(conn, 1, Hint("agent", agent_ids=[1]))
        await heard.heard("me")
