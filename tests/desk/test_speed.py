"""What a desk's request costs, counted: each of a hundred desks asks with every line that comes."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.desk.chats import SCRIPTED, Chats
from tests.kit.desk import DeskKit


@pytest.fixture
def chats(desk: DeskKit) -> Chats:
    return Chats(desk)


async def test_a_look_at_the_thread_is_a_few_statements(
    desk: DeskKit, chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat_id, john = await chats.ongoing(), await desk.person("john")
    assert (await john.get(f"/desk/chats/{chat_id}/thread", **SCRIPTED)).status == 200
    said: list[str] = []
    execute, query = asyncpg.Connection._do_execute, asyncpg.Connection.execute

    async def counted(conn: Any, statement: str, *more: Any, **named: Any) -> Any:
        said.append(statement)
        return await execute(conn, statement, *more, **named)

    async def counted_too(conn: Any, statement: str, *more: Any, **named: Any) -> Any:
        said.append(statement)
        return await query(conn, statement, *more, **named)

    monkeypatch.setattr(asyncpg.Connection, "_do_execute", counted)
    monkeypatch.setattr(asyncpg.Connection, "execute", counted_too)
    assert (await john.get(f"/desk/chats/{chat_id}/thread", **SCRIPTED)).status == 200
    assert 5 < len(said) <= 16, said


async def test_no_request_waits_for_a_thread(desk: DeskKit, chats: Chats, monkeypatch: pytest.MonkeyPatch) -> None:
    chat_id, john = await chats.ongoing(), await desk.person("john")
    used: list[Any] = []
    in_thread = asyncio.BaseEventLoop.run_in_executor

    def counted(loop: Any, pool: Any, work: Any, *more: Any) -> Any:
        used.append(work)
        return in_thread(loop, pool, work, *more)

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", counted)
    for path in ("thread", "head", "person"):
        assert (await john.get(f"/desk/chats/{chat_id}/{path}", **SCRIPTED)).status == 200
    assert (await john.get("/desk/list", **SCRIPTED)).status == 200
    assert used == []


async def test_a_connection_of_the_pool_comes_back_without_its_transaction(desk: DeskKit) -> None:
    async with desk.services.db.connection() as conn:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, _context: None)  # the driver tells of what is left open
        pid = await conn.fetchval("select pg_backend_pid()")
        await conn.execute("begin")
    loop.set_exception_handler(None)
    state = await desk.db.fetchval("select state from pg_stat_activity where pid = $1", pid)
    assert state == "idle"
