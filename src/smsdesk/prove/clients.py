"""Programs that use the API as they should: a key for each send, and again until it is accepted."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import aiohttp

from smsdesk.bench.rig import OURS, TENANT

CONNECTIONS = 32
PAUSE = 0.2
"""Seconds between two tries of a send, on average."""
PATIENCE = 10.0
"""Seconds that a client waits for an answer."""


def phone(number: int) -> str:
    """The consumer of the n-th send: a number of his own, of US areas, for the lab alone."""
    area, line = divmod(number, 10_000)
    return f"+1{212 + area}555{line:04}"


def words(number: int) -> str:
    """The n-th text; every tenth has two parts, in one encoding and the other."""
    if number % 10:
        return f"text {number}"
    return f"text {number} " + ("ж" * 80 if number % 20 else "long " * 40).strip()


class Refused(Exception):
    """An answer that no client of this kind should get; the text is what the server said."""


@dataclass
class Clients:
    """So many sends over one API, whose address changes when it is started again."""

    token: str
    random: Random
    base_url: str = ""
    accepted: set[int] = field(default_factory=set)
    tries: int = 0

    async def send(self, count: int) -> None:
        """Returns when all sends are accepted. Raises Refused."""
        numbers = iter(range(count))
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._client(http, numbers))

    async def _client(self, http: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
        for number in numbers:
            while not await self._try(http, number):  # noqa: ASYNC110 - a pause between two tries, not a wait
                await asyncio.sleep(PAUSE * (0.5 + self.random.random()))
            self.accepted.add(number)

    async def _try(self, http: aiohttp.ClientSession, number: int) -> bool:
        self.tries += 1
        body = {
            "chat_type": "Messaging (SMS)", "end_user_number": phone(number), "outbound_number": OURS,
            "message": words(number),
        }  # fmt: skip
        headers = {
            "Authorization": aiohttp.encode_basic_auth(TENANT, self.token),
            "Idempotency-Key": f"proof {number}",
        }
        try:
            async with http.post(f"{self.base_url}/apps/api/v1/sms", json=body, headers=headers) as answer:
                said = await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        if answer.status not in (200, 503):
            raise Refused(f"send {number} was answered {answer.status}: {said[:200]}")
        return answer.status == 200
