"""A desk behind the API: agents who work in a queue, and consumers who write to it."""

from typing import Any

from smsdesk.actions.ask_agents import AskAgents
from smsdesk.actions.fire_timers import FireTimers
from smsdesk.domain.reply import InboundPart
from smsdesk.store.db import Ids
from tests.kit.api import OURS, Answer, Api

V1 = "/apps/api/v1"
SUPERVISOR = 90


class Desk:
    """The tenant's queue `Support` with agents 11, 12 ... in it, nobody logged in, and supervisor 90 beside it."""

    def __init__(self, api: Api, queue_id: int) -> None:
        self.api = api
        self.queue_id = queue_id
        self._phones = 0
        self._ids = Ids()

    @classmethod
    async def make(cls, api: Api, agents: int = 3, **settings: Any) -> "Desk":
        """With so many agents; `settings` are the queue's."""
        queue_id = await api.db.fetchval("select queue_id from queues where tenant_id = 1")
        await api.db.execute("update queues set effective = $1 where tenant_id = 1", settings)
        await api.db.execute(
            "insert into agents (tenant_id, agent_id, email, first_name, role)"
            " select 1, n, n || '@foo.com', 'Agent', 'agent' from generate_series(11, $1) n"
            " union all select 1, $2, '90@foo.com', 'Super', 'supervisor'",
            10 + agents, SUPERVISOR,
        )  # fmt: skip
        await api.db.execute(
            "insert into agent_queues (tenant_id, agent_id, queue_id) select 1, n, $2 from generate_series(11, $1) n",
            10 + agents, queue_id,
        )  # fmt: skip
        await api.db.execute("update tenants set changed_at = changed_at + interval '1 ms' where tenant_id = 1")
        await api.services.directory.refresh()
        return cls(api, queue_id)

    async def queue(self, name: str, *agents: int, **settings: Any) -> int:
        """Another queue at the top, and who works in it."""
        queue_id: int = await self.api.db.fetchval(
            "insert into queues (tenant_id, name, position, effective) values (1, $1, 9, $2) returning queue_id",
            name, settings,
        )  # fmt: skip
        for agent_id in agents:
            await self.api.db.execute("insert into agent_queues (tenant_id, agent_id, queue_id) values (1, $1, $2)",
                                      agent_id, queue_id)  # fmt: skip
        return queue_id

    async def available(self, *agents: int) -> None:
        """These agents say that they are there, one second after another."""
        for agent_id in agents:
            assert (await self.status(agent_id, "available")).status == 200
            self.api.clock.forward(seconds=1)

    async def status(self, agent_id: int, status: str, **more: Any) -> Answer:
        return await self.api.call("PUT", f"{V1}/agents/{agent_id}/status", json={"status": status, **more})

    async def writes(self, body: str = "hello", phone: str | None = None) -> int:
        """A consumer writes to our number, a new one where none is named: his chat."""
        if phone is None:
            self._phones += 1
            phone = f"+1415555{2000 + self._phones}"
        self.api.clock.forward(seconds=1)
        part = InboundPart(1, phone, OURS, body, "gsm7", self.api.clock(), "s", f"{phone} {self.api.clock()}")
        received = await self.api.services.receive_reply(1, part)
        assert received.chat_id is not None
        return received.chat_id

    async def mine(self, agent_id: int) -> int:
        """A chat that this agent has."""
        chat_id = await self.writes()
        answer = await self.does(chat_id, "assign", agent_id, force=True)
        assert answer.status == 200, answer.json
        return chat_id

    async def does(self, chat_id: int, what: str, agent_id: int | None = None, **more: Any) -> Answer:
        """An agent does this to a chat, such as `accept`."""
        body = {**({} if agent_id is None else {"agent_id": agent_id}), **more}
        return await self.api.call("POST", f"{V1}/chats/{chat_id}/{what}", json=body)

    async def answers(self, chat_id: int, agent_id: int, body: str = "hi") -> Answer:
        return await self.api.call(
            "POST", f"{V1}/chats/{chat_id}/message", json={"from_user_id": agent_id, "message": {"content": body}}
        )

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.api.call("GET", f"{V1}/{path}", params={key: str(value) for key, value in params.items()})
        assert answer.status == 200, answer.json
        return answer.json

    async def chat(self, chat_id: int) -> Any:
        return await self.get(f"chats/{chat_id}")

    async def owner(self, chat_id: int) -> tuple[str, int | None]:
        """The chat's status and whose it is."""
        chat = await self.chat(chat_id)
        return chat["status"], chat["agent_info"] and chat["agent_info"]["id"]

    async def asked(self, chat_id: int) -> list[int]:
        """Who is being asked for the chat."""
        rows = await self.api.db.fetch(
            "select agent_id from offers where chat_id = $1 and state = 'open' order by agent_id", chat_id
        )
        return [row[0] for row in rows]

    async def sweep(self) -> None:
        """What the worker does each second, once."""
        await AskAgents(self.api.services.db, self._ids, lambda: 0.5)(1, self.api.clock())
        while await FireTimers(self.api.services.db, self._ids, lambda: 0.5)(1, self.api.clock()):
            pass
