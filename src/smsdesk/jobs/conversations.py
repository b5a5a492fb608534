"""What keeps chats moving: their timers, and the agents who are to be asked. Any number of nodes do it side by side."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from smsdesk.actions.ask_agents import AskAgents
from smsdesk.actions.fire_timers import FireTimers
from smsdesk.jobs.repeat import report
from smsdesk.store.db import Database, Ids
from smsdesk.store.groups import AWAY
from smsdesk.store.tenants import tenant_ids

EVERY = 1.0
"""Seconds between two looks: a timer fires, and a missed offer goes on to the next agent, within two."""
MOST_TIMERS = 1_000
"""Timers of one tenant that are obeyed before the others' are looked at."""


class Conversations:
    """The loops of one node over all tenants."""

    def __init__(
        self,
        db: Database,
        ids: Ids,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._db = db
        self._clock = clock
        self._log = log
        self._fire_timers = FireTimers(db, ids, chance)
        self._ask_agents = AskAgents(db, ids, chance)

    async def fire_timers(self, wake: Callable[[int], None]) -> None:
        """Obeys all timers that are due; `wake` is told of tenants that may have a text to send by that."""

        async def fire(tenant_id: int) -> None:
            fired: list[bool] = []
            while len(fired) < MOST_TIMERS and (done := await self._fire_one(tenant_id)) is not None:
                fired.append(done)
            if any(fired):
                wake(tenant_id)

        await self._for_each("fire_timers", fire)

    async def _fire_one(self, tenant_id: int) -> bool | None:
        """Whether the timer that was due could be obeyed; None where none was due."""
        now = self._clock()
        (done,) = await asyncio.gather(self._fire_timers(tenant_id, now), return_exceptions=True)
        if isinstance(done, AWAY):
            raise done
        if isinstance(done, BaseException):
            report("fire_timers", done, self._log)
            await self._fire_timers.put_off(tenant_id, now)
            return False
        return done or None

    async def ask_agents(self) -> None:
        """Looks at what waits in every tenant."""
        await self._for_each("ask_agents", self._sweep)

    async def _sweep(self, tenant_id: int) -> None:
        swept = await self._ask_agents(tenant_id, self._clock())
        if swept.unowned:
            self._log.error("replies had no owner", tenant_id=tenant_id, chats=swept.unowned)
        if swept.vanished or swept.rescued:
            self._log.warning(
                "agents vanished", tenant_id=tenant_id, agents=swept.vanished, chats_rescued=swept.rescued
            )

    async def _for_each(self, name: str, job: Callable[[int], Awaitable[None]]) -> None:
        """Does it for all tenants; one for whom it fails does not keep the others waiting."""
        async with self._db.connection() as conn:
            tenants = await tenant_ids(conn)
        for tenant_id in tenants:
            (error,) = await asyncio.gather(job(tenant_id), return_exceptions=True)
            if isinstance(error, AWAY):
                raise error
            report(name, error, self._log)
