"""Which carriers are left and taken back, as this node's lines see them, and where the texts of their numbers go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from smsdesk.carriers.contract import Carrier
from smsdesk.domain.health import Health
from smsdesk.jobs.sink import LineSink
from smsdesk.store import routes
from smsdesk.store.db import Database

LOOK = 1.0
"""Seconds between two looks at the lines. With `health.OVERDUE` a carrier is left well within ten seconds."""
_GROUP = 500


@dataclass(frozen=True, slots=True)
class Watched:
    """A line at work, as those see it who judge it."""

    health: Health
    carrier: Carrier
    sink: LineSink
    wake: Callable[[], None]


class Routes:
    """What this node says of its lines, and what follows for texts that wait."""

    def __init__(
        self, db: Database, clock: Callable[[], datetime], monotonic: Callable[[], float], log: FilteringBoundLogger
    ) -> None:
        self._db = db
        self._clock = clock
        self._monotonic = monotonic
        self._log = log
        self._alternatives: set[tuple[int, int]] = set()
        self._sick: dict[tuple[int, int], str] = {}

    def has_alternative(self, key: tuple[int, int]) -> bool:
        """Whether texts of this (tenant, carrier) can go elsewhere."""
        return key in self._alternatives

    async def look(
        self,
        lines: Mapping[tuple[int, int], Watched],
        unusable: Mapping[tuple[int, int], str],
        node_id: int,
        wake: Callable[[int], None],
    ) -> None:
        """Judges the lines, writes down what changed, and moves what waits to where it goes now. `unusable` are lines
        that cannot work here, and why."""
        async with self._db.connection() as conn:
            self._alternatives = await routes.find_alternatives(conn)
        for key, line in lines.items():
            if key in self._alternatives:
                await self._judge(key, line, node_id)
        for key, why in unusable.items():
            if key in self._alternatives and self._sick.get(key) != why:
                await self._note(key, node_id, why)
        judged = (lines.keys() | unusable.keys()) & self._alternatives
        for key in self._sick.keys() - judged:
            await self._note(key, node_id, "")
        async with self._db.connection() as conn:
            astray = await routes.find_astray(conn)
        for tenant_id in astray:
            if await self._route(tenant_id):
                wake(tenant_id)

    async def _judge(self, key: tuple[int, int], line: Watched, node_id: int) -> None:
        health = line.health
        health.look(line.carrier.up(), line.carrier.state(), self._monotonic())
        why = health.why if health.state == "sick" else ""
        if why != self._sick.get(key, ""):
            await self._note(key, node_id, why)
            line.wake()

    async def _note(self, key: tuple[int, int], node_id: int, why: str) -> None:
        tenant_id, carrier_id = key
        async with self._db.connection() as conn:
            if why:
                await routes.note_sick(conn, tenant_id, carrier_id, node_id, why, self._clock())
            else:
                await routes.note_well(conn, tenant_id, carrier_id, node_id)
        if why:
            self._sick[key] = why
            self._log.warning("carrier left", tenant_id=tenant_id, carrier_id=carrier_id, why=why)
        else:
            del self._sick[key]
            self._log.info("carrier taken back", tenant_id=tenant_id, carrier_id=carrier_id)

    async def _route(self, tenant_id: int) -> bool:
        total = 0
        while True:
            async with self._db.connection() as conn:
                moved = await routes.route(conn, tenant_id, self._clock(), _GROUP)
            total += moved
            if moved < _GROUP:
                break
        if total:
            self._log.info("texts moved to another carrier", tenant_id=tenant_id, texts=total)
        return total > 0
