"""Clients that behave as real ones do while everything around them is killed."""

import asyncio

from tests.kit.demo_setup import Client, consumer
from tests.kit.lab import Handsets

CONNECTIONS = 32


def body(number: int) -> str:
    """The text of the n-th send; every tenth has two parts, in both encodings."""
    if number % 10:
        return f"text {number}"
    return f"text {number} " + ("ж" * 80 if number % 20 else "long " * 40).strip()


class Sending:
    """So many sends by clients that behave: one key for each, repeated until it is accepted."""

    def __init__(self, client: Client, count: int) -> None:
        self._client = client
        self._numbers = iter(range(count))
        self.chats: dict[int, int] = {}
        """The chat of each accepted send."""

    async def has(self, least: int) -> bool:
        """Whether so many are accepted."""
        return len(self.chats) >= least

    async def run(self) -> None:
        """Returns when all are accepted."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._one_client())

    async def _one_client(self) -> None:
        for number in self._numbers:
            answer = await self._client.send_until_accepted(consumer(number), body(number), f"key {number}")
            self.chats[number] = answer.json["id"]


async def two(handsets: Handsets) -> bool:
    """Whether two lines are bound."""
    return await handsets.lines() == 2


async def over(handsets: Handsets, count: int) -> bool:
    """Whether so many texts arrived."""
    return await handsets.arrived() >= count
