"""A small contact center on a real database: queues, agents and chats at a clock that the test moves."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from smsdesk.actions.ask_agents import AskAgents, Swept
from smsdesk.actions.fire_timers import FireTimers
from smsdesk.steps import routing
from smsdesk.steps.work import Work
from smsdesk.store import agents
from smsdesk.store.chat_rows import ChatRow, NewChat, lock_chat_row, note_said, open_inbound
from smsdesk.store.db import Database, Ids
from tests.store.outbox import NOW, OURS, TENANT, make_tenant


class Center:
    """Everything happens at `now`, and by the numbers of `chance`."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.ids = Ids()
        self.now: datetime = NOW
        self.number = 0.5
        self.chance: Callable[[], float] = lambda: self.number
        self._phones = 0

    async def begin(self) -> "Center":
        async with self.db.connection() as conn:
            await make_tenant(conn)
        return self

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        async with self.db.transaction() as conn:
            yield Work(conn, TENANT, self.now, self.ids, self.chance)

    async def queue(self, name: str, **effective: Any) -> int:
        """A queue whose settings are these."""
        return int(
            await self.value(
                "insert into queues (tenant_id, name, position, effective) values (1, $1, 1, $2) returning queue_id",
                name, effective,
            )
        )  # fmt: skip

    async def agent(self, name: str, *queues: int | tuple[int, int], **columns: Any) -> int:
        """An available agent of these queues; one as (queue, group) puts him into a group."""
        agent_id = int(
            await self.value(
                "insert into agents (tenant_id, email, first_name, max_chats, skills, role)"
                " values (1, $1, $2, $3, $4, $5) returning agent_id",
                f"{name}@foo.com", name, columns.get("max_chats"), columns.get("skills", []),
                columns.get("role", "agent"),
            )
        )  # fmt: skip
        for place in queues:
            queue_id, group = place if isinstance(place, tuple) else (place, 1)
            await self.value(
                "insert into agent_queues (tenant_id, agent_id, queue_id, group_number) values (1, $1, $2, $3)",
                agent_id, queue_id, group,
            )  # fmt: skip
        await self.status(agent_id, columns.get("status", "available"))
        self.later(1)
        return agent_id

    async def status(self, agent_id: int, status: str) -> None:
        async with self.work() as work:
            await agents.set_status(work.conn, TENANT, agent_id, status, None, work.now)
            await routing.fill(work, agent_id)

    async def chat(self, queue_id: int, **columns: Any) -> int:
        """A consumer writes, and his chat waits in the queue from now on."""
        self._phones += 1
        phone = f"+1415555{self._phones:04}"
        async with self.work() as work:
            end_user_id = await work.take_id()
            await work.conn.execute(
                "insert into end_users (tenant_id, end_user_id, number, created_at) values (1, $1, $2, $3)",
                end_user_id, phone, self.now,
            )  # fmt: skip
            chat_id = await work.ids.take(work.conn, 2)
            assert await open_inbound(work.conn, TENANT, NewChat(chat_id, end_user_id, OURS, "x"), self.now)
            await note_said(work.conn, TENANT, chat_id, self.now, by_agent=False)
            for name, value in columns.items():
                await work.conn.execute(f"update chats set {name} = $2 where chat_id = $1", chat_id, value)
            await routing.enqueue(work, await self.row(work, chat_id), queue_id)
        self.later(1)
        return chat_id

    async def row(self, work: Work, chat_id: int) -> ChatRow:
        row = await lock_chat_row(work.conn, TENANT, chat_id)
        assert row is not None
        return row

    async def read(self, chat_id: int) -> ChatRow:
        async with self.work() as work:
            return await self.row(work, chat_id)

    async def take(self, chat_id: int, agent_id: int) -> None:
        """The agent takes the chat."""
        async with self.work() as work:
            await routing.assign(work, await self.row(work, chat_id), agent_id)

    async def sweep(self) -> Swept:
        return await AskAgents(self.db, self.ids, self.chance)(TENANT, self.now)

    async def fire(self) -> int:
        """Obeys what is due: how many timers."""
        fired = 0
        while await FireTimers(self.db, self.ids, self.chance)(TENANT, self.now):
            fired += 1
        return fired

    async def asked(self, chat_id: int) -> list[int]:
        """The agents who are being asked for a chat now."""
        return [row[0] for row in await self.rows(
            "select agent_id from offers where chat_id = $1 and state = 'open' order by agent_id", chat_id
        )]  # fmt: skip

    async def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        async with self.db.connection() as conn:
            return [tuple(row) for row in await conn.fetch(sql, *values)]

    async def value(self, sql: str, *values: object) -> Any:
        async with self.db.connection() as conn:
            return await conn.fetchval(sql, *values)
