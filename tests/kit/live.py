"""A desk's connection as a browser has it, without the browser: what it is told, by topic."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.kit.desk import Person
from tests.kit.processes import until


@dataclass
class Listening:
    """What was told since `forget` was called last."""

    topics: dict[str, str] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    """Every topic as often as it was told."""
    beats: int = 0
    over: bool = False
    """He was told that he is signed out."""
    ended: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def forget(self) -> None:
        self.topics.clear()
        self.times.clear()

    async def heard(self, *topics: str, seconds: float = 5) -> None:
        """Returns once all of these were told."""

        async def all_of_them() -> bool:
            return set(topics) <= set(self.topics)

        await until(all_of_them, seconds, f"{topics} told; told was {sorted(self.topics)}")

    async def quiet(self, seconds: float = 0.4) -> set[str]:
        """All that was told until nothing more came for so long."""
        while True:
            before = len(self.times)
            await asyncio.sleep(seconds)
            if len(self.times) == before:
                return set(self.topics)

    async def _read(self, answer: aiohttp.ClientResponse) -> None:
        event = ""
        async for line in answer.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                event = value
                self.beats += value == "beat"
                self.over = self.over or value == "signed-out"
            elif name == "data" and not event:
                told = json.loads(value)
                self.topics |= told
                self.times += told
            elif not name:
                event = ""
        self.ended = True


@asynccontextmanager
async def listening(person: Person, *chat_ids: int) -> AsyncIterator[Listening]:
    """A desk that listens until the block ends; it has been told that all may be new, and that is forgotten."""
    heard = Listening()
    url = f"{person.desk.base_url}/desk/live?chats={','.join(map(str, chat_ids))}"
    await asyncio.wait_for(person.desk.services.hub.hears.wait(), 5)
    async with person.http.get(url, headers={"Cookie": f"smsdesk={person.cookie}"}) as answer:
        assert answer.status == 200, await answer.text()
        heard.headers = {name.lower(): value for name, value in answer.headers.items()}
        reading = asyncio.create_task(heard._read(answer))
        try:
            await heard.heard("all")
            heard.forget()
            yield heard
        finally:
            reading.cancel()
            await asyncio.wait([reading])
