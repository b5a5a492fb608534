"""The HTTP server: uvicorn's, with a way past scopes and tasks for the one route that every send takes
(docs/adr/0037-serving.md), and deadlines for clients that are slow to ask or to listen."""

import asyncio
import math
import resource
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, cast

import uvicorn
from litestar.types import ASGIApp
from uvicorn.server import ServerState

from smsdesk.api.connections import IDLE, ClientConnection, Dismissed
from smsdesk.api.heads import Heads
from smsdesk.api.http import MOST_BODY, Answer, Request, first_of_each
from smsdesk.api.listening import Listener
from smsdesk.api.problems import refusal
from smsdesk.api.refusals import Refusals
from smsdesk.api.writing import Writing

LOOK = 10
"""Ticks of the server, of 0.1 seconds, between two looks for clients that are over their time."""

TOO_LARGE: Answer = (*refusal("body_too_large"), ())
_DIGITS = len(str(MOST_BODY))

Done = Callable[[Answer], None]


class QuickRoute(Protocol):
    """Answers the POSTs to one path, each by one call, without a task of its own."""

    @property
    def path(self) -> bytes:
        """The path, without a query."""

    def refuse(self, in_line: int) -> Answer | None:
        """Asked before anything is read: what to answer, None where the request is to be taken; `in_line` are those who
        wait for a refusal."""

    def take(self, request: Request, done: Done) -> None:
        """Calls `done` with the answer, once, now or later; never raises."""


class QuickApp(Protocol):
    """An ASGI application with a quick route, which it answers as well: for requests that cannot go the quick way."""

    @property
    def quick(self) -> QuickRoute:
        """The route."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What the connections of a server have in common."""

    route: QuickRoute | None
    heads: Heads = field(default_factory=Heads)
    writing: Writing = field(default_factory=Writing)
    refusals: Refusals = field(default_factory=Refusals)


class _Turn:
    """A quick request between its head and the end of its answer, as uvicorn's protocol knows its own."""

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self, keep_alive: bool, event: asyncio.Event) -> None:
        self.keep_alive = keep_alive
        self.message_event = event
        self.disconnected = False
        self.response_complete = False


class ServingProtocol(ClientConnection):
    """A connection. Its POSTs to the quick route are answered by one call; whatever else comes (another path or
    method, HTTP/1.0, `Expect`, a request before the answer to the last, a client that does not read) goes through ASGI.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        shared: Shared,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._route = route = shared.route
        self._heads, self._writing, self._refusals = shared.heads, shared.writing, shared.refusals
        self._came = b""
        """What came while no request was open: a whole one, mostly."""
        self._path = route.path if route else b"\0"
        self._request: Request | None = None
        self._event = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Reads on. The parser sees no request whose head is known, and stands before the next one."""
        self._came = b""
        if self._is_between():
            known = self._heads.find(data)
            if known is not None:
                assert self._route is not None
                away = self._route.refuse(self._refusals.in_line)
                if away is None:
                    self.deadline = math.inf
                    self._hand_over(known.request_of(data), _Turn(True, self._event), None)
                elif self._refusals.may_give():
                    self._refuse_unread(away)
                else:
                    self.deadline = math.inf
                    self.cycle = turn = _Turn(True, self._event)  # type: ignore[assignment]
                    self._refusals.give_later(partial(self._refuse_later, turn, away))
                return
            self._came = data
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Leaves the scope for when the path is known."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.begin_message()

    def on_headers_complete(self) -> None:
        """Goes one way or the other."""
        self.end_head()
        if self.url.startswith(self._path) and self._is_quick():
            self._request = Request(first_of_each(self.headers), self.url[len(self._path) + 1 :])
            length = self._request.headers.get(b"content-length", b"")
            if len(length) >= _DIGITS and int(length) > MOST_BODY:
                self._request = None
                raise Dismissed(TOO_LARGE)
            self.cycle = _Turn(self.parser.should_keep_alive(), self._event)  # type: ignore[assignment]
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def _is_quick(self) -> bool:
        end = len(self._path)
        return (
            (len(self.url) == end or self.url[end : end + 1] == b"?")
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and not self.parser.should_upgrade()
            and self._is_free()
        )

    def on_body(self, body: bytes) -> None:
        """Collects, as far as a body may go."""
        request = self._request
        if request is None:
            super().on_body(body)
            return
        request.body = body if not request.body else request.body + body
        if len(request.body) > MOST_BODY:
            self._request = None
            raise Dismissed(TOO_LARGE)

    def on_message_complete(self) -> None:
        """Hands the request over."""
        self.end_message()
        request = self._request
        if request is None:
            super().on_message_complete()
            return
        self._request = None
        turn = cast(_Turn, self.cycle)
        if self._came and turn.keep_alive:
            self._heads.learn(self._came, request)
        assert self._route is not None
        self._hand_over(request, turn, self._route.refuse(self._refusals.in_line))

    def _hand_over(self, request: Request, turn: _Turn, away: Answer | None) -> None:
        assert self._route is not None
        self.cycle = turn  # type: ignore[assignment]
        if away is None:
            self._route.take(request, partial(self._answer, turn))
        else:
            self._refusals.give_later(partial(self._answer, turn, away))

    def _refuse_unread(self, answer: Answer) -> None:
        """As `_answer` does, for a request of which nothing was made: in a flood there are thousands a second."""
        self.transport.write(self._writing.write_again(self.server_state.default_headers, answer))
        self.server_state.total_requests += 1
        self.deadline = self.loop.time() + IDLE

    def _refuse_later(self, turn: _Turn, answer: Answer) -> None:
        """As `_refuse_unread`, of one who stood in line."""
        if self.pipeline or self._in_head or self._in_body or not turn.keep_alive:
            self._answer(turn, answer)
        elif not (turn.disconnected or self.transport.is_closing()):
            turn.response_complete = True
            self._refuse_unread(answer)

    def _answer(self, turn: _Turn, answer: Answer) -> None:
        if turn.disconnected or turn.response_complete or self.transport.is_closing():
            return
        written, closes = self._writing.write(self.server_state.default_headers, answer, turn.keep_alive)
        self.transport.write(written)
        turn.response_complete = True
        if closes:
            self.transport.close()
        self.on_response_complete()


class HttpServer(uvicorn.Server):
    """An HTTP server in a loop that is not its own: it leaves the signals to whoever owns the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none, on purpose."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen on these sockets, with as many connections as the system lets this process have: many
        systems give 1,024 to who does not ask."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):  # some systems call their limit infinite, and refuse it
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        await super().startup([])
        protocol = partial(
            cast(Any, self.config.http_protocol_class),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        self.servers = cast(Any, [Listener(each, protocol) for each in sockets or ()])

    async def on_tick(self, counter: int) -> bool:
        """Ends connections that are over their time, and does what uvicorn does each 0.1 seconds."""
        if counter % LOOK == 0:
            now = asyncio.get_running_loop().time()
            connections = cast(Iterable[ClientConnection], self.server_state.connections)
            for each in [one for one in connections if one.is_over(now)]:
                each.transport.abort()
        return await super().on_tick(counter)


def http_server(app: ASGIApp | QuickApp) -> HttpServer:
    """A server for the app; run it with `serve(sockets)`, end it with `should_exit`."""
    protocol = partial(ServingProtocol, shared=Shared(getattr(app, "quick", None)))
    return HttpServer(
        uvicorn.Config(
            cast(Any, app),
            loop="none",
            http=cast(Any, protocol),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=10,
        )
    )
