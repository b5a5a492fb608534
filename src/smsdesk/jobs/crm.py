"""Does what waits for the tenants' CRMs, each tenant by himself: a CRM that is down or slow keeps nobody else waiting.

A job is claimed with a lease and committed before the CRM is asked; what it said is recorded after. No transaction and
no connection is held in between. Whoever finds a job whose lease has run out does it again under the same key.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import aiohttp
from structlog.typing import FilteringBoundLogger

from smsdesk.crm.http import open_session
from smsdesk.jobs.crm_visit import LEASE, LONGEST_VISIT, Door, Surroundings, attempt
from smsdesk.jobs.repeat import report
from smsdesk.store import crm

LOOK = 1.0
"""Seconds between two looks for what is due."""
FIRST_REST, LONGEST_REST = 2.0, 300.0
"""Seconds that a tenant's CRM is left alone after it could not be had: doubled each time."""
AT_ONCE = 4
"""Jobs of a tenant at once: Zendesk's smallest plans take 200 requests a minute."""
DRAIN = 5.0
"""Seconds for open visits when the process ends."""


@dataclass(slots=True)
class _Rest:
    """How a tenant's CRM was when it was last asked."""

    failures: int = 0
    until: float = 0.0

    def had(self) -> None:
        self.failures = 0

    def away(self, asked: float, now: float) -> None:
        """Notes that it could not be had, and asked for so many seconds of patience."""
        usual = min(FIRST_REST * 2 ** min(self.failures, 16), LONGEST_REST)
        self.failures += 1
        self.until = now + min(max(usual, asked), LONGEST_REST)


class CrmJobs:
    """Works for all tenants until cancelled; any number of processes share one database."""

    def __init__(
        self, around: Surroundings, log: FilteringBoundLogger, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._around = around
        self._log = log
        self._monotonic = monotonic
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._rests: dict[int, _Rest] = {}
        self._ending = False

    async def run(self) -> None:
        """Looks for tenants whose jobs are due and serves them side by side; when cancelled, lets open visits end for a
        few seconds."""
        self._ending = False
        async with open_session() as session:
            try:
                while True:
                    await self._look(session)
                    await asyncio.sleep(LOOK)
            finally:
                self._ending = True
                await self._drain()

    async def _look(self, session: aiohttp.ClientSession) -> None:
        async with self._around.db.connection() as conn:
            due = await crm.find_due(conn, self._around.clock())
        for tenant_id in due:
            rest = self._rests.setdefault(tenant_id, _Rest())
            if tenant_id not in self._serving and rest.until <= self._monotonic():
                task = asyncio.get_running_loop().create_task(self._serve(tenant_id, rest, session))
                self._serving[tenant_id] = task
                task.add_done_callback(partial(self._served, tenant_id))

    async def _serve(self, tenant_id: int, rest: _Rest, session: aiohttp.ClientSession) -> None:
        """Does a tenant's jobs until none is due, or his CRM cannot be had; after that, one job alone finds out whether
        it can again."""
        while not self._ending:
            now, latest = self._around.clock(), time.monotonic() + LONGEST_VISIT
            async with self._around.db.connection() as conn:
                setup = await crm.find_crm(conn, tenant_id)
                if setup is None:
                    return
                jobs = await crm.claim(conn, tenant_id, now, now + LEASE, 1 if rest.failures else AT_ONCE)
            if not jobs:
                return
            door = Door(session, setup, latest)
            asked = await asyncio.gather(*(attempt(self._around, door, tenant_id, job) for job in jobs))
            pauses = [pause for pause in asked if pause is not None]
            if pauses:
                rest.away(max(pauses), self._monotonic())
                self._log.warning("CRM left alone", tenant_id=tenant_id, failures=rest.failures)
                return
            rest.had()

    def _served(self, tenant_id: int, task: "asyncio.Task[None]") -> None:
        del self._serving[tenant_id]
        report("crm", None if task.cancelled() else task.exception(), self._log.bind(tenant_id=tenant_id))

    async def _drain(self) -> None:
        """What has no answer by then is done again when its lease has run out."""
        if not self._serving:
            return
        _, unfinished = await asyncio.wait(self._serving.values(), timeout=DRAIN)
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished)
