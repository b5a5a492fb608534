"""One of the two databases that a year is measured on, with its processes, and each measurement of it."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg

from smsdesk.bench.history.year import phone
from smsdesk.bench.latency import Latency, summarize
from smsdesk.bench.load import LoadResult, Plan, load
from smsdesk.bench.processes import Meter
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import OURS, TENANT, BenchError, Child, Rig, run

CONNECTIONS = 64
CLAIM, CLAIMS = 200, 20
"""How many texts a claim takes, and how many claims a round has."""
LIMIT = 600.0
"""Seconds after which texts that do not end are given up."""
_CLAIM = "select message_id from claim_texts($1, $2, $3, 0, 1, now(), null, null)"


@dataclass(frozen=True, slots=True)
class Measured:
    """How many a second, how long each took, and PostgreSQL's CPU for each in microseconds; 0 is unknown."""

    per_second: float
    latency: Latency = field(default_factory=Latency)
    cpu_us: float = 0.0


class Sends:
    """Makes requests as a year goes on: every third to a consumer who is in its history, the others to new ones.

    Both databases get the same ones, in the same order, from request number `made` on.
    """

    def __init__(self, token: str, chats: int, seed: int, made: int = 0) -> None:
        self._chats, self._seed, self.made = chats, seed, made
        whole = SendRequests("127.0.0.1", (TENANT, token), OURS)(0)
        found = re.search(rb"\+1(\d{10})", whole)
        assert found is not None
        self._before, self._after = whole[: found.start()], whole[found.end() :]
        self._former = chats // 3
        self._stride = 7919 if self._former % 7919 else 7907

    def __call__(self, _: int) -> bytes:
        """The next request, ready for the socket."""
        n, self.made = self.made, self.made + 1
        turn = n // 3
        known = n % 3 == 2 and turn < self._former
        origin = 3 * (turn * self._stride % self._former) if known else self._chats + n
        return self._before + phone(origin, self._seed).encode() + self._after


class Side:
    """A rig with its lab and its API at work; the worker works while it is wanted."""

    def __init__(self, name: str, rig: Rig, sends: Sends) -> None:
        self.name, self.rig, self._sends = name, rig, sends
        rig.lab()
        self.api, self.port = rig.api()
        self._worker: Child | None = None

    def accept(self, seconds: int, pause: float = 0.0) -> tuple[LoadResult, float]:
        """Sends by CONNECTIONS connections: what came of it, and PostgreSQL's CPU seconds in all of it."""
        meter = Meter({"PostgreSQL": self.rig.postmaster})
        plan = Plan("127.0.0.1", self.port, CONNECTIONS, seconds=seconds, warm_up=1.0, pause=pause)
        result = run(load(plan, self._sends))
        if result.errors or not result.answered:
            causes = [f"{status}: {text}" for status, text in result.samples.items()] + list(result.faults)
            raise BenchError(f"{self.name}: {result.errors} sends were not accepted, such as {causes[:1]}")
        return result, meter.look()["PostgreSQL"].cpu_seconds

    def accepted(self, seconds: int) -> Measured:
        """Accepted sends."""
        before = self._sends.made
        result, cpu = self.accept(seconds)
        return Measured(result.per_second, result.latency, cpu * 1e6 / (self._sends.made - before))

    def delivered(self) -> Measured:
        """All that is queued, from the first recorded receipt to the last."""
        since, queued = datetime.now(UTC), run(self.rig.value("select count(*) from texts"))
        meter = Meter({"PostgreSQL": self.rig.postmaster})
        self.work()
        run(self._emptied())
        count, seconds = run(self.rig.rows(_ENDED, since))[0]
        if count != queued:
            raise BenchError(f"{self.name}: {count} of {queued} texts are recorded as delivered")
        return Measured((count - 1) / seconds, cpu_us=meter.look()["PostgreSQL"].cpu_seconds * 1e6 / count)

    async def _emptied(self) -> None:
        until = time.monotonic() + LIMIT
        while await self.rig.value("select count(*) from (select from texts limit 1) x"):
            if self._worker is not None:
                self._worker.check()
            if time.monotonic() > until:
                raise BenchError(f"{self.name}: texts have not ended after {LIMIT:.0f} s")
            await asyncio.sleep(0.1)

    def work(self) -> None:
        """Has a worker work from now on."""
        if self._worker is None:
            self._worker = self.rig.worker()

    def rest(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


def claimed(sides: Sequence[Side]) -> list[Measured]:
    """Claims of CLAIM texts on each side in turn, each taken back."""
    return run(_claim(sides))


async def _claim(sides: Sequence[Side]) -> list[Measured]:
    lines = [await asyncpg.connect(side.rig.dsn) for side in sides]
    times: list[list[int]] = [[] for _ in sides]
    try:
        for _ in range(CLAIMS):
            for conn, side, taken in zip(lines, sides, times, strict=True):
                attempt = conn.transaction()
                await attempt.start()
                carrier_id = await conn.fetchval("select min(carrier_id) from carriers")
                began = time.perf_counter_ns()
                found = await conn.fetch(_CLAIM, side.rig.tenant_id, carrier_id, CLAIM)
                taken.append(time.perf_counter_ns() - began)
                await attempt.rollback()
                if not found:
                    raise BenchError(f"{side.name}: nothing is queued to be claimed")
    finally:
        for conn in lines:
            await conn.close()
    return [of_times(each) for each in times]


def of_times(nanoseconds: list[int]) -> Measured:
    """What these come to: as many a second as the middle one says."""
    latency = summarize(nanoseconds)
    return Measured(round(1000 / latency.p50_ms, 1), latency)


_ENDED = """
select count(*), extract(epoch from max(ended_at) - min(ended_at))::float8 from messages
where created_at > '2000-01-01' and created_at > $1::timestamptz - interval '1 hour' and ended_at >= $1
  and state = 'delivered' and credential_id is not null
"""
"""Of sends: in a folder that was measured before, consumers wait since then, and are told so as well."""
