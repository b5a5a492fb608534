"""What just happened, for those who watch: costs nothing while nobody does."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from smsdesk.lab.handsets import HandsetReply, Text
from smsdesk.lab.stats import LineInfo

Happening = Text | HandsetReply | LineInfo
_BACKLOG = 256


class Subscription:
    """One watcher's short queue: when it falls behind, the oldest go and are counted."""

    __slots__ = ("changed", "items", "missed")

    def __init__(self) -> None:
        self.items: deque[Happening] = deque(maxlen=_BACKLOG)
        self.missed = 0
        self.changed = asyncio.Event()


class Feed:
    """Passes happenings on to everybody who watches at that moment."""

    def __init__(self) -> None:
        self._watchers: set[Subscription] = set()
        self._closed = False

    def publish(self, item: Happening) -> None:
        """Hands `item` to all watchers. Never blocks."""
        for watcher in self._watchers:
            if len(watcher.items) == _BACKLOG:
                watcher.missed += 1
            watcher.items.append(item)
            watcher.changed.set()

    def close(self) -> None:
        """Ends every `watch`, now and later."""
        self._closed = True
        for watcher in self._watchers:
            watcher.changed.set()

    async def watch(self, heartbeat: float) -> AsyncIterator[tuple[list[Happening], int]]:
        """Yields what happened since the last turn and how much was missed; an empty turn every `heartbeat` seconds."""
        watcher = Subscription()
        self._watchers.add(watcher)
        try:
            yield [], 0
            while not self._closed:
                try:
                    await asyncio.wait_for(watcher.changed.wait(), heartbeat)
                except TimeoutError:
                    yield [], 0
                    continue
                watcher.changed.clear()
                items, missed = list(watcher.items), watcher.missed
                watcher.items.clear()
                watcher.missed = 0
                yield items, missed
        finally:
            self._watchers.discard(watcher)
