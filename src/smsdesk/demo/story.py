"""The demo's story: the seed's first example, from the request to the handset and back, each step looked up at the
side where it happens."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from smsdesk.demo.keys import Keys
from smsdesk.demo.processes import DemoError

SEED = (
    '{\n"chat_type": "Messaging (SMS)",\n"end_user_number": "+1 415-555-0100",\n'
    '"outbound_number": "+1 628-555-0199",\n"message": "lorem ipsum",\n"ticket_id": "5006x00000XXxxxXXX"\n}'
)
"""The body of the page's first example, byte for byte."""
CONSUMER = "+14155550100"
REPLY = "Thanks! Is it ready today?"
CHOICE = "2"
"""The line of Orders in the menu that the reply is answered with."""
ANSWER = "Yes, until 6 pm. John Doe, Acme"
LIMIT = 15.0
"""Seconds that each step may take."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends of the line: the API that sends, and the lab whose handsets receive."""

    http: aiohttp.ClientSession
    keys: Keys

    async def api(self, method: str, path: str, body: str | Mapping[str, object] | None = None) -> tuple[int, Any]:
        """A request to the API, with the demo's token."""
        headers = {"Authorization": aiohttp.encode_basic_auth(self.keys.subdomain, self.keys.token)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data: dict[str, Any] = {"data": body} if isinstance(body, str) else {"json": body} if body else {}
        url = f"{self.keys.base_url}/apps/api/v1{path}"
        async with self.http.request(method, url, headers=headers, **data) as answer:
            return answer.status, await answer.json()

    async def lab(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """A request to the lab's HTTP API."""
        async with self.http.request(method, f"{self.keys.lab_url}{path}", json=body) as answer:
            return await answer.json()

    async def type(self, body: str) -> None:
        """Writes these words on the consumer's handset, to our number."""
        await self.lab("POST", f"/handsets/{CONSUMER}/reply", {"to": self.keys.outbound_number, "body": body})

    async def handset(self, after: int = 0) -> list[Any]:
        """What arrived at the consumer's handset, after the text of this index."""
        texts: list[Any] = await self.lab("GET", f"/handsets/{CONSUMER}/texts?after={after}")
        return texts if isinstance(texts, list) else []


class Story:
    """The acts in their order; `told` is what each has found out."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self.chat: Any = None

    async def send(self) -> tuple[int, Any]:
        """Sends the example; a chat that an earlier demo left open is finished first."""
        await self._make_room()
        self._arrived = await self._last_index()
        status, self.chat = await self._ends.api("POST", "/sms", SEED)
        if status != 200:
            raise DemoError(f"the send was answered {status}: {self.chat.get('message')}")
        return status, self.chat

    async def arrive(self) -> tuple[Any, Any]:
        """The text at the handset, and its message with the receipt."""

        async def there() -> tuple[Any, Any] | None:
            texts = await self._ends.handset(self._arrived)
            messages = await self._messages()
            return (texts[0], messages[0]) if texts and messages[0]["status"] == "delivered" else None

        return await self._until(there, "the text to arrive at the handset, and its receipt at the chat")

    async def reply(self) -> tuple[Any, Any, Any]:
        """The handset writes back, gets the menu and chooses: its message in the chat, the menu at the handset, and the
        chat, which is now in a queue."""
        arrived = await self._last_index()
        await self._ends.type(REPLY)

        async def menu() -> Any:
            texts = await self._ends.handset(arrived)
            return texts[0] if texts else None

        shown = await self._until(menu, "the menu to arrive at the handset")
        await self._ends.type(CHOICE)

        async def there() -> tuple[Any, Any] | None:
            messages = await self._messages()
            _, chat = await self._ends.api("GET", f"/chats/{self.chat['id']}")
            replies = [one for one in messages if one["content"] == REPLY]
            return (replies[-1], chat) if replies and chat["status"] == "queued" else None

        message, chat = await self._until(there, "the reply to reach the chat, and the chat its queue")
        return message, shown, chat

    async def answer(self) -> tuple[Any, Any]:
        """The agent answers: the text at the handset, and the chat, which is now his."""
        arrived = await self._last_index()
        body = {"from_user_id": self._ends.keys.agents[0].id, "message": {"type": "text", "content": ANSWER}}
        status, said = await self._ends.api("POST", f"/chats/{self.chat['id']}/message", body)
        if status != 200:
            raise DemoError(f"the agent's answer was answered {status}: {said.get('message')}")

        async def there() -> tuple[Any, Any] | None:
            texts = [text for text in await self._ends.handset(arrived) if text["body"] == ANSWER]
            _, chat = await self._ends.api("GET", f"/chats/{self.chat['id']}")
            return (texts[0], chat) if texts else None

        return await self._until(there, "the agent's answer to arrive at the handset")

    async def _make_room(self) -> None:
        """Ends what an earlier demo, or the person at the handset, has left behind."""
        _, chats = await self._ends.api("GET", "/chats?number=%2B1%20415-555-0100&per=1")
        if chats and chats[0]["ends_at"] is None:
            await self._ends.api("PATCH", f"/chats/{chats[0]['id']}", {"chat": {"status": "finished"}})
        _, told = await self._ends.api("POST", "/sms?dry_run=true", SEED)
        if told.get("reason") != "end_user_opted_out":
            return
        await self._ends.type("START")

        async def opted_in() -> bool | None:
            _, told = await self._ends.api("POST", "/sms?dry_run=true", SEED)
            return True if told.get("reason") != "end_user_opted_out" else None

        await self._until(opted_in, "START at the handset to be obeyed")
        await self._make_room()

    async def _messages(self) -> list[Any]:
        _, messages = await self._ends.api("GET", f"/chats/{self.chat['id']}/messages")
        return list(messages)

    async def _last_index(self) -> int:
        return max((text["index"] for text in await self._ends.handset()), default=0)

    async def _until(self, condition: Callable[[], Awaitable[T | None]], what: str) -> T:
        deadline = asyncio.get_running_loop().time() + LIMIT
        while True:
            found = await condition()
            if found is not None:
                return found
            if asyncio.get_running_loop().time() > deadline:
                raise DemoError(f"waited {LIMIT:.0f} s in vain for {what}")
            await asyncio.sleep(0.05)
