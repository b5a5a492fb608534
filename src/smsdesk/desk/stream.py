"""One desk that is told what is new: a set of topics that waits to be sent, however slowly its browser reads."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

ALL = "all"
SELDOM: Mapping[str, float] = {"board": 1.0, "waiting": 1.0}
"""Seconds at least between two of a topic that many look at and much changes: the first is told at once."""
MOST = 300
"""Topics that wait at once: a desk that has read none of so many looks at everything instead."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Whose desk is told: his own chats and offers, the chats that he has open, and all of it where he supervises."""

    tenant_id: int
    agent_id: int
    supervises: bool
    queue_ids: frozenset[int] = frozenset()
    chat_ids: frozenset[int] = frozenset()
    """Those that his browser shows, his own or not."""


class Stream:
    """What a desk is to be told."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.closed = False
        self._topics: dict[str, str] = {}
        self._told: dict[str, float] = {}
        self._later: set[str] = set()
        self._news = asyncio.Event()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, topic: str, detail: str = "") -> None:
        """Something is new under this topic. The same twice is told once."""
        pause = SELDOM.get(topic)
        if pause is not None:
            if topic in self._later:
                return
            loop = asyncio.get_running_loop()
            wait = self._told.get(topic, -pause) + pause - loop.time()
            if wait > 0:
                self._later.add(topic)
                loop.call_later(wait, self._add_late, topic)
                return
            self._told[topic] = loop.time()
        self._put(topic, detail)

    def close(self) -> None:
        """Nothing more is told."""
        self.closed = True
        self._news.set()
        if not self._over.done():
            self._over.set_result(None)

    async def news(self, timeout: float) -> Mapping[str, str]:
        """The topics that are new, each with its detail: as soon as there is one, or none after so many seconds."""
        if not self._topics and not self.closed:
            try:
                await asyncio.wait_for(self._news.wait(), timeout)
            except TimeoutError:
                return {}
        topics, self._topics = self._topics, {}
        if not self.closed:
            self._news.clear()
        return topics

    async def gather(self, seconds: float) -> None:
        """Waits so long for more to come, or until it is closed."""
        if not self.closed:
            await asyncio.wait({self._over}, timeout=seconds)

    def _add_late(self, topic: str) -> None:
        self._later.discard(topic)
        self._told[topic] = asyncio.get_running_loop().time()
        self._put(topic, "")

    def _put(self, topic: str, detail: str) -> None:
        if topic == ALL or len(self._topics) >= MOST:
            self._topics = {ALL: ""}
        elif ALL not in self._topics or detail:
            self._topics[topic] = detail
        self._news.set()
