"""An open-loop load generator: requests leave when they are due, whether the earlier ones were answered or not.

A closed loop asks a slow server less, and so hides how slow it is. Here the clock of a request starts when this process
sees that it is due, and stops when the last byte of its answer is here: what it waits for a free connection, for the
server to accept one, or unread in the server's socket is the server's. What this process itself is late by is told
apart (`FloodResult.late`): it shares the cores with what it floods, and its own delay says nothing of a server.

One thread and plain sockets; some 15 microseconds of CPU a request, of which the kernel's part of sending and receiving
is most.
"""

import contextlib
import errno
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from smsdesk.bench.load import content_length

TICK = 0.002
"""Seconds between two looks at what is due and what has come: a time is too long by as much at most. Waking for each
answer would cost the cores that are measured twice what the answer does."""
PATIENCE = 10.0
"""Seconds to wait at the end for answers that are still open."""
READY, MOST_CONNECTIONS = 1_000, 4_000
"""Connections opened before the first request, since a flood of new ones would be another test, and at most; beyond
these, what is due waits for one."""
RECEIVE = 16 * 1024
NO_ANSWER = 0
"""The status of a request that got none."""
_NOTHING = -1


@dataclass(frozen=True, slots=True)
class Phase:
    """So many requests a second, for so many seconds."""

    per_second: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """One request, in nanoseconds: when it was due, since the beginning; how much later this process saw that; how long
    it then took until the answer was here, or was given up; and its status."""

    due: int
    late: int
    took: int
    status: int


@dataclass(slots=True)
class FloodResult:
    """What became of every request that was due, in the order of the answers."""

    due: "array[int]" = field(default_factory=lambda: array("q"))
    late: "array[int]" = field(default_factory=lambda: array("q"))
    took: "array[int]" = field(default_factory=lambda: array("q"))
    status: "array[int]" = field(default_factory=lambda: array("h"))
    connections: int = 0
    """The most that were open at once."""
    sample: bytes = b""
    """The first answer that was neither 200 nor 503."""

    def between(self, begin: float, end: float) -> Iterator[Answered]:
        """What was due between these seconds."""
        for each in map(Answered, self.due, self.late, self.took, self.status):
            if begin * 1e9 <= each.due < end * 1e9:
                yield each

    def count(self, status: int) -> int:
        """How many were answered so."""
        return self.status.count(status)


def flood(
    address: tuple[str, int],
    phases: Sequence[Phase],
    request: Callable[[int], bytes],
    on_phase: Callable[[int], None] = lambda _number: None,
    *,
    ready: int = READY,
) -> FloodResult:
    """Sends `request(0)`, `request(1)`, ... one phase after another; `on_phase` hears of each when it begins, and once
    more when the last is over. `ready` connections are opened beforehand. Raises OSError where nobody listens then."""
    socket.create_connection(address, PATIENCE).close()
    run = _Flood(address, request)
    try:
        run.open(ready)
        first = 0.0
        for number, phase in enumerate(phases):
            on_phase(number)
            run.go(first, phase)
            first += phase.seconds
        on_phase(len(phases))
        run.finish()
    finally:
        run.close()
    return run.result


class _Line:
    """A connection, and the request that is on it: when it was due and when that was seen, `_NOTHING` for none."""

    __slots__ = ("due", "got", "recv", "seen", "send", "socket", "unsent")

    def __init__(self, made: socket.socket, *, pending: bool) -> None:
        self.socket, self.send, self.recv = made, made.send, made.recv
        self.due = self.seen = _NOTHING
        self.unsent: bytes | None = b"" if pending else None
        """Of a connection that is being made, the request that waits for it; None once it is made."""
        self.got = b""


@dataclass(slots=True)
class _Flood:
    address: tuple[str, int]
    request: Callable[[int], bytes]
    result: FloodResult = field(default_factory=FloodResult)
    _epoll: select.epoll = field(default_factory=select.epoll)
    _lines: dict[int, _Line] = field(default_factory=dict)
    _idle: deque[_Line] = field(default_factory=deque)
    _waiting: deque[tuple[int, int]] = field(default_factory=deque)
    """What is due and has no connection: when it was due, and when that was seen."""
    _began: int = 0
    _sent: int = 0
    _open: int = 0

    def open(self, ready: int) -> None:
        """Makes so many connections; the beginning is when they are made."""
        until = time.perf_counter_ns() + int(PATIENCE * 1e9)
        for _ in range(ready):
            if (line := self._connect()).unsent is None:
                self._idle.append(line)
        while len(self._idle) < len(self._lines) and time.perf_counter_ns() < until:
            self._hear(TICK)
        self._began = time.perf_counter_ns()

    def go(self, first: float, phase: Phase) -> None:
        """One phase, which begins so many seconds after the beginning of all."""
        start, made = int(first * 1e9), 0
        gap, all_of_it = 1e9 / phase.per_second, round(phase.per_second * phase.seconds)
        while made < all_of_it:
            now = self._now()
            while made < all_of_it and (due := start + int(made * gap)) <= now:
                made += 1
                self._waiting.append((due, now))
            self._send()
            time.sleep(max(0.0, TICK - (self._now() - now) / 1e9))
            self._hear(0)

    def finish(self) -> None:
        """Waits for what is open; what has no answer then gets none."""
        until = self._now() + int(PATIENCE * 1e9)
        while (self._open or self._waiting) and self._now() < until:
            self._send()
            self._hear(TICK)
        for line in list(self._lines.values()):
            self._drop(line)
        while self._waiting:
            self._note(*self._waiting.popleft(), NO_ANSWER)

    def close(self) -> None:
        """Closes what is open."""
        for line in self._lines.values():
            line.socket.close()
        self._epoll.close()

    def _now(self) -> int:
        return time.perf_counter_ns() - self._began

    def _send(self) -> None:
        """Everything that is due and has a connection."""
        waiting, idle = self._waiting, self._idle
        while waiting:
            if idle:
                line = idle.popleft()
                if line.socket.fileno() < 0:
                    continue
            elif len(self._lines) < MOST_CONNECTIONS:
                line = self._connect()
            else:
                return
            line.due, line.seen = waiting.popleft()
            self._open += 1
            data = self.request(self._sent)
            self._sent += 1
            if line.unsent is None:
                self._write(line, data)
            else:
                line.unsent = data

    def _connect(self) -> _Line:
        """A connection; one that is being made gets its request as soon as it is there, or is idle then."""
        made = socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pending = made.connect_ex(self.address) == errno.EINPROGRESS
        line = self._lines[made.fileno()] = _Line(made, pending=pending)
        self._epoll.register(made.fileno(), select.EPOLLOUT if pending else select.EPOLLIN)
        self.result.connections = max(self.result.connections, len(self._lines))
        return line

    def _write(self, line: _Line, data: bytes) -> None:
        try:
            whole = line.send(data) == len(data)
        except OSError:
            whole = False
        if not whole:  # a request is far smaller than a socket's buffer, which holds nothing else
            self._drop(line)

    def _hear(self, seconds: float) -> None:
        """What has come, after at most so many seconds of waiting for it."""
        for number, event in self._epoll.poll(seconds):
            line = self._lines.get(number)
            if line is None:
                continue
            if line.unsent is not None:
                self._connected(line, event)
            else:
                self._read(line)

    def _connected(self, line: _Line, event: int) -> None:
        data, line.unsent = line.unsent, None
        if event & (select.EPOLLERR | select.EPOLLHUP):
            self._drop(line)
            return
        self._epoll.modify(line.socket.fileno(), select.EPOLLIN)
        if data:
            self._write(line, data)
        else:
            self._idle.append(line)

    def _read(self, line: _Line) -> None:
        try:
            data = line.recv(RECEIVE)
        except OSError:
            data = b""
        if not data:
            self._drop(line)
            return
        data = line.got = line.got + data if line.got else data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = data[:end].lower()
        length = content_length(head)
        if length is None or line.due == _NOTHING or len(data) > end + 4 + length:
            self._drop(line)
        elif len(data) == end + 4 + length:
            self._answered(line, int(head[9:12]), b"\r\nconnection: close" in head)

    def _answered(self, line: _Line, status: int, closes: bool) -> None:
        self._note(line.due, line.seen, status)
        self._open -= 1
        if status not in (200, 503) and not self.result.sample:
            self.result.sample = line.got[:500]
        line.due, line.got = _NOTHING, b""
        if closes:
            self._drop(line)
        else:
            self._idle.append(line)

    def _drop(self, line: _Line) -> None:
        """Gives the connection up; a request that is on it gets no answer."""
        if line.due != _NOTHING:
            self._note(line.due, line.seen, NO_ANSWER)
            self._open -= 1
            line.due = _NOTHING
        self._lines.pop(line.socket.fileno(), None)
        with contextlib.suppress(OSError):
            self._epoll.unregister(line.socket.fileno())
        line.socket.close()

    def _note(self, due: int, seen: int, status: int) -> None:
        result = self.result
        result.due.append(due)
        result.late.append(seen - due)
        result.took.append(self._now() - seen)
        result.status.append(status)
