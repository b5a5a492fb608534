"""Answers that are kept for a moment, so that many who look at the same are one question to the database."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 1000
"""Answers; of more than that the old ones are let go."""


class Memo:
    """Keeps answers by what was asked. Who asks while another waits for the same answer gets that one."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[datetime, Any]] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    async def get(self, key: Hashable, now: datetime, lasts: timedelta, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to `ask`, at most `lasts` old. One that cannot be had is not kept."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._kept.get(key)
            if known is not None and timedelta() <= now - known[0] < lasts:
                return known[1]  # type: ignore[no-any-return]
            answer = await ask()
            self._kept[key] = (now, answer)
        if len(self._kept) > MOST:
            self._forget(now - lasts)
        return answer

    def _forget(self, before: datetime) -> None:
        for key in [key for key, (at, _) in self._kept.items() if at < before]:
            if not self._locks[key].locked():
                del self._kept[key], self._locks[key]
