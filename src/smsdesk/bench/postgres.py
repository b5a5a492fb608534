"""The yardstick: what PostgreSQL commits when clients that do nothing else call one prepared statement."""

import asyncio
import multiprocessing
import time
from array import array
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count

import asyncpg
import msgspec
import uvloop

from smsdesk.bench.latency import Latency, summarize

Arguments = Callable[[int, int], tuple[object, ...]]
"""Makes the statement's arguments for `n` rows numbered from `first`: `arguments(first, n)`. A module's own function,
since it is called in another process."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """One measurement: so many clients, each sending groups of so many rows, one group a transaction."""

    dsn: str
    statement: str
    arguments: Arguments
    clients: int
    group: int = 1
    seconds: float = 5.0
    warm_up: float = 1.0
    pause: float = 0.0
    """Seconds between two transactions of a client: with one client this measures a quiet database."""
    first: int = 0
    """The number of the first row, so that runs on one database need not meet the same rows."""


class BaselineResult(msgspec.Struct, frozen=True):
    """What was committed. `per_second` counts rows, `latency` is of whole transactions."""

    clients: int
    group: int
    seconds: float
    commits: int
    commits_per_second: float
    per_second: float
    latency: Latency
    cpu_us: float
    """CPU of the clients for each transaction, in microseconds."""
    last: int
    """The first row number that was not used."""


async def measure(baseline: Baseline) -> BaselineResult:
    """Runs the clients in a process of their own, so that nothing of this one slows them.

    Raises RuntimeError with the database's sentence when a statement fails: a yardstick with errors measures nothing.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, run_clients, baseline)


def run_clients(baseline: Baseline) -> BaselineResult:
    """The measurement itself, in this process."""
    try:
        return uvloop.run(_clients(baseline))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise RuntimeError(f"the database refused the baseline: {error}") from None


async def _clients(baseline: Baseline) -> BaselineResult:
    connections = [await asyncpg.connect(baseline.dsn) for _ in range(baseline.clients)]
    clients = _Clients(baseline, count(baseline.first, baseline.group))
    try:
        tasks = [asyncio.create_task(clients.repeat(connection)) for connection in connections]
        ending = asyncio.create_task(clients.measure())
        await asyncio.gather(*tasks, ending)
    finally:
        clients.ended = True
        for connection in connections:
            connection.terminate()
    return clients.result()


class _Clients:
    def __init__(self, baseline: Baseline, rows: "count[int]") -> None:
        self._baseline, self._rows = baseline, rows
        self._times = array("q")
        self._clock = self._cpu = 0
        self._measuring = False
        self.ended = False

    async def repeat(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """One client: the statement again and again, each on its own, so each its own transaction."""
        prepared = await connection.prepare(self._baseline.statement)
        arguments, group, rows, clock = self._baseline.arguments, self._baseline.group, self._rows, time.perf_counter_ns
        while not self.ended:
            values = arguments(next(rows), group)
            since = clock()
            await prepared.fetch(*values)
            if self._measuring:
                self._times.append(clock() - since)
            if self._baseline.pause:
                await asyncio.sleep(self._baseline.pause)

    async def measure(self) -> None:
        """Lets the clients warm up, then counts for the time that was asked for."""
        await asyncio.sleep(self._baseline.warm_up)
        self._measuring = True
        self._clock, self._cpu = time.perf_counter_ns(), time.process_time_ns()
        await asyncio.sleep(self._baseline.seconds)
        self._clock, self._cpu = time.perf_counter_ns() - self._clock, time.process_time_ns() - self._cpu
        self._measuring, self.ended = False, True

    def result(self) -> BaselineResult:
        commits, seconds = len(self._times), self._clock / 1e9
        return BaselineResult(
            clients=self._baseline.clients,
            group=self._baseline.group,
            seconds=round(seconds, 3),
            commits=commits,
            commits_per_second=round(commits / seconds, 1),
            per_second=round(commits * self._baseline.group / seconds, 1),
            latency=summarize(self._times),
            cpu_us=round(self._cpu / 1e3 / commits, 1) if commits else 0.0,
            last=next(self._rows),
        )
