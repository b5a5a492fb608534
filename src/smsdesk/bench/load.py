"""An HTTP load generator that is cheap enough to share a machine with what it measures, and counts nothing twice.

HTTP/1.1 without TLS over keep-alive connections, one request at a time on each (a closed loop). It understands answers
with a Content-Length and, where the plan says so, in chunks; anything else is counted as a fault and told.
"""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import msgspec

from smsdesk.bench.latency import Latency, summarize

RETRY = 0.05
"""Seconds before a refused connection is tried again."""
SAMPLE = 500
"""Bytes kept of the first answer of each failing status."""
CHUNKED, LAST_CHUNK = b"\r\ntransfer-encoding: chunked", b"\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. Times are in seconds. Exactly one of `seconds` and `requests` says when it ends."""

    host: str
    port: int
    connections: int
    seconds: float = 0.0
    requests: int = 0
    warm_up: float = 0.0
    """Load before the measured `seconds`; its faults are counted apart."""
    pause: float = 0.0
    """Between an answer and the next request: with one connection this measures a quiet server."""
    patience: float = 10.0
    """How long to wait for open answers at the end, and for a server that refuses connections."""
    chunked: bool = False
    """Answers in chunks count as well (RFC 9112, section 7.1): some servers of others give no length."""


class LoadResult(msgspec.Struct, frozen=True):
    """What came back while measuring. Only 2xx answers make `per_second` and `latency`."""

    connections: int
    seconds: float
    answered: int
    """Answers with a 2xx status."""
    per_second: float
    latency: Latency
    statuses: dict[int, int]
    """All whole answers by status."""
    faults: dict[str, int]
    """Requests without an answer, and connections that could not be made, by cause."""
    outside: int
    """Faults and answers other than 2xx before and after the measured time."""
    samples: dict[int, str]
    """The first answer of each status other than 2xx, cut."""
    cpu_us: float
    """CPU of this generator for each answer, in microseconds."""

    @property
    def errors(self) -> int:
        """Everything that was not a 2xx answer, at any time."""
        return sum(self.statuses.values()) - self.answered + sum(self.faults.values()) + self.outside


async def load(plan: Plan, request: Callable[[int], bytes]) -> LoadResult:
    """Sends `request(0)`, `request(1)`, ... as the plan says. Raises ValueError for a plan that cannot be."""
    if plan.connections < 1 or bool(plan.seconds) == bool(plan.requests):
        raise ValueError("a plan needs at least one connection, and either seconds or requests")
    run = _Run(plan, request)
    lines = [asyncio.create_task(run.hold_line()) for _ in range(plan.connections)]
    if plan.seconds:
        await asyncio.sleep(plan.warm_up)
        run.begin()
        await asyncio.sleep(plan.seconds)
        run.end()
    else:
        run.begin()
    await _until_over(run, lines)
    await asyncio.gather(*lines, return_exceptions=True)
    run.end()
    return run.result()


async def _until_over(run: "_Run", lines: list[asyncio.Task[None]]) -> None:
    """Waits for the open answers as long as some come, then gives the rest up."""
    seen = -1
    late = set(lines)
    while late and seen != run.heard:
        seen = run.heard
        _, late = await asyncio.wait(late, timeout=run.plan.patience)
    for line in late:
        line.cancel()


@dataclass(slots=True)
class _Run:
    plan: Plan
    request: Callable[[int], bytes]
    sent: int = 0
    heard: int = 0
    ended: bool = False
    measuring: bool = False
    times: "array[int]" = field(default_factory=lambda: array("q"))
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    outside: int = 0
    samples: dict[int, str] = field(default_factory=dict)
    clock: int = 0
    cpu: int = 0

    def begin(self) -> None:
        self.measuring = True
        self.clock, self.cpu = time.perf_counter_ns(), time.process_time_ns()

    def end(self) -> None:
        if self.measuring:
            self.clock, self.cpu = time.perf_counter_ns() - self.clock, time.process_time_ns() - self.cpu
        self.measuring, self.ended = False, True

    def take(self) -> bytes | None:
        """The next request, or None when there are no more."""
        if self.ended or (self.plan.requests and self.sent >= self.plan.requests):
            return None
        self.sent += 1
        return self.request(self.sent - 1)

    def answered(self, status: int, nanoseconds: int, answer: bytes) -> None:
        self.heard += 1
        good = 200 <= status < 300
        if self.measuring:
            self.statuses[status] += 1
            if good:
                self.times.append(nanoseconds)
        elif not good:
            self.outside += 1
        if not good and status not in self.samples:
            self.samples[status] = answer[:SAMPLE].decode("utf-8", "replace")

    def failed(self, cause: str) -> None:
        if self.measuring:
            self.faults[cause] += 1
        else:
            self.outside += 1

    async def hold_line(self) -> None:
        """Keeps one connection up until there is nothing more to send, or nobody takes connections any longer."""
        loop, refused = asyncio.get_running_loop(), 0.0
        while not self.ended and not (self.plan.requests and self.sent >= self.plan.requests):
            try:
                _, line = await loop.create_connection(lambda: _Line(self), self.plan.host, self.plan.port)
            except OSError as error:
                self.failed(f"no connection: {error.strerror or error}")
                refused += RETRY
                if refused >= self.plan.patience:
                    return
                await asyncio.sleep(RETRY)
                continue
            refused = 0.0
            await line.over()

    def result(self) -> LoadResult:
        answered, seconds = len(self.times), self.clock / 1e9
        whole = sum(self.statuses.values())
        return LoadResult(
            connections=self.plan.connections,
            seconds=round(seconds, 3),
            answered=answered,
            per_second=round(answered / seconds, 1),
            latency=summarize(self.times),
            statuses=dict(sorted(self.statuses.items())),
            faults=dict(self.faults),
            outside=self.outside,
            samples=self.samples,
            cpu_us=round(self.cpu / 1e3 / whole, 1) if whole else 0.0,
        )


class _Line(asyncio.Protocol):
    """One connection: a request, its whole answer, the next request."""

    __slots__ = ("_buffer", "_lost", "_run", "_since", "_transport", "_waiting")

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._waiting = False
        self._since = 0
        self._lost = asyncio.get_running_loop().create_future()

    async def over(self) -> None:
        """Ends with the connection. Cancelled, it counts an answer that did not come."""
        try:
            await self._lost
        except asyncio.CancelledError:
            self._fail("no answer in time")
            raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by duck type only
        self._send()

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        request = self._run.take()
        if request is None:
            self._transport.close()
            return
        self._waiting = True
        self._since = time.perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        head = data[:end].lower()
        length = content_length(head)
        if length is None and self._run.plan.chunked and CHUNKED in head:
            length = len(data) - end - 4 + (not data.endswith(LAST_CHUNK))
        if length is None or not self._waiting or len(data) > end + 4 + length:
            self._fail("answer not understood")
            return
        if len(data) < end + 4 + length:
            self._buffer = data
            return
        self._waiting, self._buffer = False, b""
        self._run.answered(int(head[9:12]), time.perf_counter_ns() - self._since, data[end + 4 :])
        if b"\r\nconnection: close" in head:
            self._transport.close()
        elif self._run.plan.pause:
            asyncio.get_running_loop().call_later(self._run.plan.pause, self._send)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"connection lost: {error}" if error else "connection closed before the answer")
        if not self._lost.done():
            self._lost.set_result(None)

    def _fail(self, cause: str) -> None:
        """Counts the open request as failed, once, and gives the connection up."""
        if self._waiting:
            self._waiting = False
            self._run.failed(cause)
        self._transport.abort()


def content_length(head: bytes) -> int | None:
    """The length that a lower-case head gives, None for a head that is no HTTP/1.x answer or gives none."""
    status = head[9:12]
    if not (head.startswith(b"http/1.") and status.isdigit()):
        return None
    if status == b"204":
        return 0
    place = head.find(b"\r\ncontent-length:")
    if place < 0:
        return None
    value = head[place + 17 :].split(b"\r\n", 1)[0].strip()
    return int(value) if value.isdigit() else None
