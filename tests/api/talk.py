"""A conversation through the API, a line at a time, for tests that read what was kept of it."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.kit.api import OURS, Answer, Api

V1 = "/apps/api/v1"


@dataclass
class Talk:
    """One consumer, the tenant's number, and agent 1 who works in its queue."""

    api: Api
    consumer: str = "+14155550111"
    chat_id: int = 0
    _ids: Any = field(default_factory=itertools.count)

    async def staff(self, *agents: int) -> None:
        """Puts agents into the number's queue."""
        for agent in agents or (1,):
            await self.api.db.execute(
                "insert into agent_queues (tenant_id, agent_id, queue_id) "
                "select 1, $1, queue_id from queues where tenant_id = 1 and name = 'Support' on conflict do nothing",
                agent,
            )

    async def hear(self, body: str, after: float = 0, **more: Any) -> Answer:
        """The consumer writes, so many seconds later."""
        self.api.clock.forward(seconds=after)
        text = {"from": self.consumer, "to": OURS, "id": f"{self.consumer}-{next(self._ids)}", "body": body, **more}
        answer = await self.api.call("POST", f"{V1}/inbound", json=text)
        assert answer.status == 202, answer.body
        self.chat_id = answer.json["chat_id"]
        return answer

    async def do(self, what: str, after: float = 0, **body: Any) -> Answer:
        """Does something to the chat: `message`, `take`, `notes` ..."""
        self.api.clock.forward(seconds=after)
        answer = await self.api.call("POST", f"{V1}/chats/{self.chat_id}/{what}", json=body)
        assert answer.status < 300, (what, answer.body)
        return answer

    async def answer(self, words: str, after: float = 0, agent: int = 1) -> Answer:
        """An agent writes."""
        return await self.do("message", after, from_user_id=agent, message={"content": words})

    async def end(self, after: float = 0, agent: int | None = 1) -> None:
        """An agent ends the chat."""
        self.api.clock.forward(seconds=after)
        body = {"finished_by_user_id": agent, "chat": {"status": "finished"}}
        answer = await self.api.call("PATCH", f"{V1}/chats/{self.chat_id}", json=body)
        assert answer.status == 200, answer.body

    async def get(self, what: str = "", **more: Any) -> Answer:
        """Reads the chat, or a part of it."""
        return await self.api.call("GET", f"{V1}/chats/{self.chat_id}{what}", **more)
