"""Opens months of history before they come, and lets the oldest go where the owner says how long they are kept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import asyncpg
from structlog.typing import FilteringBoundLogger

from smsdesk.actions.drop_period import Remove, drop_period, judge_periods, list_going
from smsdesk.actions.open_period import open_periods
from smsdesk.domain.periods import month_of
from smsdesk.domain.tenant import TenantSettings
from smsdesk.media.contract import StoreAway
from smsdesk.media.stores import Stores
from smsdesk.store.db import Database

EVERY = 3600.0
"""Seconds between two looks. A month's first hour may lie in the partition of the month before."""
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds between tries for tables that traffic holds: in each of them all that waited goes on."""

T = TypeVar("T")


class Periods:
    """One round is `run`. Any number of workers do it side by side: each step is harmless when done twice."""

    def __init__(
        self, db: Database, stores: Stores, days: int, clock: Callable[[], datetime], log: FilteringBoundLogger
    ) -> None:
        """`days` is how long history is kept; 0 is for ever."""
        self._db = db
        self._days = days
        self._clock = clock
        self._log = log
        self._remove = remover(stores, log)

    async def run(self) -> None:
        """Opens what is to be open, finishes what an earlier round began to drop, and drops what is too old."""
        now = self._clock()
        for period in await patiently(lambda: open_periods(self._db, now)):
            self._log.info("a month was opened", month=month_of(period))
        for period in await self._over(now):
            done = await drop(self._db, period, self._remove, now)
            self._log.info("a month of history went", month=month_of(period), files_left=not done)

    async def _over(self, now: datetime) -> list[int]:
        if not self._days:  # to judge a month reads its chats: where none is too old, only what goes already is asked
            return await list_going(self._db)
        return [one.period.period for one in await judge_periods(self._db, now, self._days) if not one.kept]


async def drop(db: Database, period: int, remove: Remove, now: datetime) -> bool:
    """`drop_period`, tried again where traffic holds its tables."""
    return await patiently(lambda: drop_period(db, period, remove, now))


def remover(stores: Stores, log: FilteringBoundLogger) -> Remove:
    """Removes files where their tenant keeps them."""

    async def remove(settings: TenantSettings, key: str) -> bool:
        try:
            return await stores.of(settings.media_store).remove(key)
        except StoreAway as away:
            log.warning("files of a month that went have to wait", why=str(away))
            return False

    return remove


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Tries again after each of PAUSES where a table is held. Raises LockNotAvailableError after the last."""
    for pause in PAUSES:
        try:
            return await work()
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(pause)
    return await work()
