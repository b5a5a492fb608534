"""A client's connection, as far as it may go: how long it may take to ask and to listen, how much it may send.

uvicorn keeps a connection that says nothing, or half of something, for as long as the client likes, and as much of a
head, or of requests ahead of their turn, as the client sends. Here each has an end (docs/adr/0035-overload.md).
"""

import asyncio
import math
from typing import Any

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from smsdesk.api.http import Answer
from smsdesk.api.problems import answer
from smsdesk.errors import Problem

ASK, IDLE, LISTEN, LINGER = 10.0, 75.0, 30.0, 2.0
"""Seconds: for a request, from its first byte to its last; between an answer and the next request; in which a client
that has stopped reading must go on; in which one that was sent away may take the answer that says why."""
PACE = 2_000
"""Bytes of a body for which a client gets another second."""
MOST_HEAD = 32 * 1024
"""Bytes of the request line and all headers."""
MOST_AHEAD = 100
"""Requests that may be sent on a connection before the first of them is answered."""

NOT_HTTP: Answer = (*answer(Problem("parameter_invalid", "this is no request of HTTP/1.1")), ())
HEAD_TOO_LARGE: Answer = (431, b'{"message":"request headers are too large"}', ())
TOO_MANY: Answer = (*answer(Problem("parameter_invalid", "too many requests ahead of their answers")), ())

log = structlog.get_logger()


class Dismissed(Exception):
    """The client has gone too far: it gets this answer, and the connection ends."""

    def __init__(self, said: Answer) -> None:
        super().__init__()
        self.answer = said


class ClientConnection(HttpToolsProtocol):
    """uvicorn's connection, with an end to everything that a client can begin.

    Its deadlines are moments of the loop's clock, looked at from outside by `is_over`, rather than timers: setting one
    for each request would cost more than the request's parsing.
    """

    deadline = math.inf
    """Until when the client must have gone on; it owes nothing while we are at work."""
    _deaf_until = math.inf
    _chunk = _head = 0
    """Bytes of what is being read now, and of an unfinished head before it."""
    _open = 0
    """Requests of which something is in what is being read now."""
    _in_head = _in_body = _dismissed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Gives the client its time for the first request."""
        super().connection_made(transport)
        self.deadline = self.loop.time() + ASK

    def data_received(self, data: bytes) -> None:
        """Reads on, unless the client has gone too far."""
        if self._dismissed:
            return
        self._chunk, self._open = len(data), int(self._in_head or self._in_body)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        except httptools.HttpParserError as error:
            self._dismiss(_why(error))
        if self._in_head and self._open == 1:  # else a part of it is of the request before
            self._head += len(data)
            if self._head > MOST_HEAD:
                self._dismiss(HEAD_TOO_LARGE)

    def begin_message(self) -> None:
        """A request begins: its time does, unless another is at work."""
        self._in_head = True
        self._open += 1
        if self.cycle is None or self.cycle.response_complete:
            self.deadline = self.loop.time() + ASK

    def end_head(self) -> None:
        """The head is whole. Raises Dismissed where it is too large, or too many came before it."""
        self._in_head = False
        if self._chunk + self._head > MOST_HEAD and self._size_of_head() > MOST_HEAD:
            raise Dismissed(HEAD_TOO_LARGE)
        self._head = 0
        if len(self.pipeline) >= MOST_AHEAD:
            raise Dismissed(TOO_MANY)
        self._in_body = True

    def end_message(self) -> None:
        """The request is whole: it is our turn."""
        self._in_body = False
        self.deadline = math.inf

    def on_body(self, body: bytes) -> None:
        """Gives time for as much as came."""
        self.deadline += len(body) / PACE
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Starts what waits behind this answer, or the time in which the next request must begin."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self._dismissed:
            self.transport.close()
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.deadline = self.loop.time() + IDLE

    def pause_writing(self) -> None:
        """The client does not read: it has some time to begin again."""
        super().pause_writing()
        self._deaf_until = self.loop.time() + LISTEN

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._deaf_until = math.inf

    def is_over(self, now: float) -> bool:
        """Whether the client's time is."""
        if now > self.deadline and self._in_body and self.flow.read_paused:
            self.deadline = now + ASK  # it is we who do not read
        return now > self.deadline or now > self._deaf_until

    def _is_between(self) -> bool:
        """Whether the next byte begins a request, and nothing else is open."""
        return (
            not (self._in_head or self._in_body or self._dismissed or self.pipeline)
            and self._is_free()
            and not self.transport.is_closing()
        )

    def _is_free(self) -> bool:
        """Whether the last request is answered, and the client takes in what is said."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _dismiss(self, said: Answer) -> None:
        """Says why, once what came before is answered, and reads nothing any more.

        The connection stays for a moment where the client still sends: closing on what is unread takes back the answer
        (RFC 9112, 9.6).
        """
        if self._dismissed or self.transport.is_closing():
            return
        self._dismissed, self._in_head = True, False
        waits, cycle = bool(self.pipeline), self.cycle
        self.pipeline.clear()
        if cycle is not None and not cycle.response_complete:
            if waits or not self._in_body:
                cycle.keep_alive = False
                return
            if getattr(cycle, "response_started", False):
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        status, body, _ = said
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.write_eof()
        self.deadline = self.loop.time() + LINGER


def _why(error: httptools.HttpParserError) -> Answer:
    """What the client is told of an error that came while its bytes were read."""
    cause: Any = error.__context__
    if isinstance(cause, Dismissed):
        return cause.answer
    if isinstance(error, httptools.HttpParserCallbackError):
        log.error("request not read", exc_info=cause)
    return NOT_HTTP
