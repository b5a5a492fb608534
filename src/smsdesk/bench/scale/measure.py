"""The measurements that `bench scale` is made of, each of one way to set processes up."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import count

from smsdesk.bench.handsets import clear, read_arrivals
from smsdesk.bench.load import LoadResult, Plan, load
from smsdesk.bench.processes import Meter, family, ticks
from smsdesk.bench.queued import connected, queue_texts, wait_for_ends
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import OURS, TENANT, BenchError, Child, Rig, run
from smsdesk.bench.scale.small_cores import small_cores

WARM_UP = 1.0
_LAST_END = "select extract(epoch from max(ended_at))::float8 from messages"


@dataclass(frozen=True, slots=True)
class Round:
    """How many a second; CPU in microseconds and octets of PostgreSQL's log for each; and how many cores were taken
    meanwhile by processes that have no part in it."""

    per_second: float
    cpu_us: dict[str, float]
    log: float
    others: float = 0.0


@dataclass(frozen=True, slots=True)
class Api:
    """The API at work: its parent or only process, its port, how many processes, and who else is to be measured."""

    child: Child
    port: int
    processes: int
    beside: dict[str, int]


@dataclass(slots=True)
class Measurer:
    """Measures on a rig whose lab is up. `share` is what a small core has of a whole one."""

    rig: Rig
    lab: Child
    share: float
    sent: int = 0
    """Sends made so far: each is to a consumer of its own."""
    queued: int = 0
    """Texts queued so far, likewise."""

    @contextmanager
    def api(self, processes: int, environ: dict[str, str], beside: dict[str, int] | None = None) -> Iterator[Api]:
        """So many processes at one port."""
        words = ("--role", "api", "--workers", str(processes), "--port", "0")
        child = self.rig.serve("api", *words, environ=environ)
        try:
            said = child.first_line()
            port = re.search(r":(\d+)$", said)
            if port is None:
                raise BenchError(f"the api said {said!r} where its address belongs")
            yield Api(child, int(port[1]), processes, beside or {})
        finally:
            child.stop()

    def accept(self, api: Api, connections: int, seconds: int, *, small: bool = False) -> Round | None:
        """Sends by so many connections in all. None where small cores cannot be had."""
        with self._cores(api.child, small) as done:
            if not done:
                return None
            used = _Used(self.rig, {"api": api.child.pid, **api.beside})
            sent, result = self._load(Plan("127.0.0.1", api.port, connections, seconds=seconds, warm_up=WARM_UP))
            return used.round(result.per_second, sent, result)

    def deliver(self, workers: int, texts: int, *, small: bool = False) -> Round | None:
        """Texts from the queue to recorded receipts, by so many processes. None where small cores cannot be had."""
        self._empty()
        child = self.rig.serve("worker", "--role", "worker", "--workers", str(workers))
        child.first_line()
        try:
            with self._cores(child, small) as done:
                if not done:
                    return None
                run(self._queue(texts))
                # From here on: queueing is no part of what a delivered text costs.
                used = _Used(self.rig, {"worker": child.pid, "lab": self.lab.pid})
                last = run(self._ended(child))
                made = used.round(0.0, texts)
        finally:
            child.stop()
        return replace(made, per_second=texts / (last - self._first_arrival(texts)))

    def both(self, connections: int, texts: int) -> Round:
        """Texts from the first request to the last receipt, by one process of the API and one that delivers."""
        self._empty()
        worker = self.rig.worker()
        try:
            with self.api(1, {}) as api:
                used = _Used(self.rig, {"api": api.child.pid, "worker": worker.pid, "lab": self.lab.pid})
                began = time.time()
                _, result = self._load(Plan("127.0.0.1", api.port, connections, requests=texts))
                last = run(self._ended(worker))
                made = used.round(texts / (last - began), texts, result)
        finally:
            worker.stop()
        self._first_arrival(texts)
        return made

    async def _queue(self, texts: int) -> None:
        first, self.queued = self.queued, self.queued + texts
        async with connected(self.rig) as conn:
            await queue_texts(self.rig, conn, first, texts)

    async def _ended(self, worker: Child) -> float:
        async with connected(self.rig) as conn:
            await wait_for_ends(conn, worker.check)
            return float(await conn.fetchval(_LAST_END))

    def _load(self, plan: Plan) -> tuple[int, LoadResult]:
        """How many were sent, and what came back. Raises BenchError where one was not accepted."""
        requests, first = SendRequests("127.0.0.1", (TENANT, self.rig.token), OURS), self.sent
        numbers = count(first)
        result = run(load(plan, lambda _: requests(next(numbers))))
        self.sent = next(numbers)
        if result.errors or not result.answered:
            causes = [*result.samples.values(), *result.faults]
            raise BenchError(f"{result.errors} requests were not accepted, such as {causes[:1]}")
        return self.sent - first, result

    def _cores(self, child: Child, small: bool) -> AbstractContextManager[bool]:
        """The processes that do the work are its children, or itself where it has none."""
        found = family(child.pid)
        return small_cores(list(found[1:] or found), self.share) if small else nullcontext(True)

    def _empty(self) -> None:
        """What accepted sends left in the queue is no part of what is delivered after."""
        run(self.rig.rows("truncate texts"))
        clear(self.rig.lab_http_port)

    def _first_arrival(self, texts: int) -> float:
        arrivals = read_arrivals(self.rig.lab_http_port)
        arrivals.check(texts)
        return arrivals.first


class _Used:
    """CPU and log from now on, PostgreSQL's always."""

    def __init__(self, rig: Rig, roots: dict[str, int]) -> None:
        self._rig = rig
        self._log = _log(rig)
        self._meter = Meter({**roots, "PostgreSQL": rig.postmaster})
        self._began, self._worked, self._own = time.monotonic(), _worked(), time.process_time()

    def round(self, per_second: float, items: int, generated: LoadResult | None = None) -> Round:
        """What was measured until now, for each of so many."""
        used = {name: one.cpu_seconds for name, one in self._meter.look().items()}
        others = _worked() - self._worked - sum(used.values()) - (time.process_time() - self._own)
        cores = max(0.0, others / (time.monotonic() - self._began))
        cpu = {name: seconds * 1e6 / items for name, seconds in used.items()}
        if generated is not None:
            cpu["load generator"] = generated.cpu_us
        return Round(per_second, cpu, (_log(self._rig) - self._log) / items, cores)


def _worked() -> float:
    """CPU seconds of all processes of this machine."""
    return ticks()[0] / os.sysconf("SC_CLK_TCK")


def _log(rig: Rig) -> int:
    return run(rig.value("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"))
