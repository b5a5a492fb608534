"""Delivery as it goes on for hours: a backlog leaves while sends are accepted over HTTP, and at half of that rate it is
measured how long a text takes from being accepted to the wire.

All times are of one machine's clock: the database's for what was accepted and what was recorded, the lab's for what
arrived.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from smsdesk.bench.flood import FloodResult, Phase, flood
from smsdesk.bench.handsets import clear, read_arrivals, read_times
from smsdesk.bench.latency import Latency, summarize
from smsdesk.bench.queued import connected, last_end, queue_texts, wait_for_ends
from smsdesk.bench.requests import SendRequests
from smsdesk.bench.rig import OURS, TENANT, BenchError, Child, Rig, run

WARM_UP = 1.0
"""Seconds at half load before those that count."""
LONGER = 1.5
"""The flood lasts so many times as long as the backlog alone took."""

_DELIVERED_BETWEEN = """
select count(*) from messages
where state = 'delivered' and ended_at > to_timestamp($1::float8) and ended_at <= to_timestamp($2::float8)
"""
_ACCEPTED_AT = """
select e.number, extract(epoch from m.created_at)::float8
from messages m join chats c using (tenant_id, chat_id) join end_users e using (tenant_id, end_user_id)
where m.created_at >= to_timestamp($1::float8)
"""


@dataclass(frozen=True, slots=True)
class Sustained:
    """What was delivered, to the recorded receipt, and what was accepted meanwhile, both a second; how long accepting
    took, and how many sends were not answered with 200."""

    delivered: float
    accepted: float
    latency: Latency
    errors: int


@dataclass(frozen=True, slots=True)
class HalfLoad:
    """So many a second, and the time of each from being accepted to its arrival."""

    per_second: float
    latency: Latency
    errors: int


@dataclass(slots=True)
class Sustainer:
    """Makes both measurements on a rig whose API, worker and lab are up."""

    rig: Rig
    port: int
    worker: Child
    sent: int = 0
    """Sends made so far: each is to a consumer of its own."""

    def sustain(self, first: int, texts: int, rate: float, alone: float) -> Sustained:
        """A backlog of `texts`, from consumer `first` on, which alone leaves at `alone` a second, while `rate` sends a
        second are accepted. Counted is from the moment at which the backlog is there until it has ended."""
        clear(self.rig.lab_http_port)
        backlog = _Backlog(self.rig, first, texts)
        backlog.queue()
        began = time.time()
        answers = self._flood([Phase(rate, max(WARM_UP, LONGER * texts / alone))], lambda _number: backlog.show())
        flooded = time.time()
        last = run(backlog.ended(self.worker))
        read_arrivals(self.rig.lab_http_port).check(texts + answers.count(200))
        until = min(flooded, last)
        ((delivered,),) = run(self.rig.rows(_DELIVERED_BETWEEN, began, until))
        seconds = max(answers.due) / 1e9
        return Sustained(delivered / (until - began), answers.count(200) / seconds, *_answered(answers))

    def half(self, per_second: float, seconds: float) -> HalfLoad:
        """So many sends a second, and nothing else to deliver."""
        clear(self.rig.lab_http_port)
        starts: list[float] = []
        phases = [Phase(per_second, WARM_UP), Phase(per_second, seconds)]
        answers = self._flood(phases, lambda _number: starts.append(time.time()))
        run(self._all_ended())
        arrived = read_times(self.rig.lab_http_port)
        accepted = run(self.rig.rows(_ACCEPTED_AT, starts[1]))
        if missing := [number for number, _ in accepted if number not in arrived]:
            raise BenchError(f"{len(missing)} texts were accepted and never arrived, such as that to {missing[0]}")
        times = (int((arrived[number] - at) * 1e9) for number, at in accepted)
        return HalfLoad(per_second, summarize(times), _answered(answers)[1])

    def _flood(self, phases: list[Phase], on_phase: Callable[[int], None]) -> FloodResult:
        requests = SendRequests("bench", (TENANT, self.rig.token), OURS, first=self.sent)
        answers = flood(("127.0.0.1", self.port), phases, requests, on_phase)
        self.sent += len(answers.due)
        if answers.sample:
            raise BenchError(f"a send was answered {answers.sample[:200].decode(errors='replace')}")
        return answers

    async def _all_ended(self) -> None:
        async with connected(self.rig) as conn:
            await wait_for_ends(conn, self.worker.check)


class _Backlog:
    """Texts that are queued in a transaction of another thread, which is committed when they are to be seen."""

    def __init__(self, rig: Rig, first: int, texts: int) -> None:
        self._rig = rig
        self._range = (first, texts)
        self._queued, self._wanted = threading.Event(), threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run)

    def queue(self) -> None:
        """Returns when all are in the open transaction."""
        self._thread.start()
        self._queued.wait()

    def show(self) -> None:
        """Has them committed."""
        self._wanted.set()

    async def ended(self, worker: Child) -> float:
        """When the last of them ended, after all texts have, in seconds since 1970."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        async with connected(self._rig) as conn:
            await wait_for_ends(conn, worker.check)
            last = await last_end(conn, self._range[0])
        if last is None:
            raise BenchError("no text has an end in the database, though none is in flight")
        return last

    def _run(self) -> None:
        try:
            run(self._queue())
        except (BenchError, OSError, asyncpg.PostgresError) as error:
            self._error = error
        finally:
            self._queued.set()

    async def _queue(self) -> None:
        async with connected(self._rig) as conn:
            await queue_texts(self._rig, conn, *self._range, self._held)

    def _held(self) -> None:
        self._queued.set()
        self._wanted.wait()


def _answered(answers: FloodResult) -> tuple[Latency, int]:
    """How long the answers of 200 took, and how many were none."""
    good = [took for took, status in zip(answers.took, answers.status, strict=True) if status == 200]
    return summarize(good), len(answers.status) - len(good)
