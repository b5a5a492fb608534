"""One connection and the ends of what its client can begin, over TCP, with an app that answers when it is let: each
moment is asked for, none is waited for."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from smsdesk.api import connections, serving
from smsdesk.api.connections import ASK, IDLE, LINGER, LISTEN, MOST_HEAD, ClientConnection
from smsdesk.api.http import Answer, Request, respond
from smsdesk.api.serving import Done, HttpServer, http_server
from smsdesk.wiring import listen_at
from tests.kit.processes import until

HEAD = b"POST /path HTTP/1.1\r\ncontent-length: 4\r\n\r\n"
PAGE = b"GET /page HTTP/1.1\r\n\r\n"
NONSENSE = b"\x16\x03\x01"
LIMIT = 20.0
AGES = 10_000.0
"""Seconds that are longer than any deadline."""


class Gate:
    """Answers with the body, or a page: at once, or when it is opened."""

    path = b"/path"

    def __init__(self) -> None:
        self.taken: list[Request] = []
        self.asked = 0
        self.page = b"page"
        self.opened = asyncio.Event()
        self.opened.set()

    @property
    def quick(self) -> "Gate":
        return self

    def refuse(self, in_line: int) -> Answer | None:
        return None

    def take(self, request: Request, done: Done) -> None:
        self.taken.append(request)
        if self.opened.is_set():
            done((200, request.body, ()))
        else:
            waiting = asyncio.ensure_future(self.opened.wait())
            waiting.add_done_callback(lambda _: done((200, request.body, ())))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await self.opened.wait()
        await respond(send, 200, self.page)


class Line:
    """A client's end of the connection, and the server's."""

    def __init__(self, gate: Gate, server: HttpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.gate = gate
        self.reader = reader
        self.writer = writer
        self._server = server

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def status(self) -> int:
        """Of the next answer, which is read to its end."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), LIMIT)
        length = re.search(rb"content-length: (\d+)", head)
        assert length
        await asyncio.wait_for(self.reader.readexactly(int(length[1])), LIMIT)
        return int(head.split()[1])

    async def rest(self) -> list[int]:
        """The statuses of all answers until the server has said its last."""
        said = await asyncio.wait_for(self.reader.read(), LIMIT)
        return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d+) ", said)]

    async def teach(self) -> None:
        """Has the head read, so that it is not parsed again."""
        self.say(HEAD + b"body")
        assert await self.status() == 200

    @property
    def here(self) -> ClientConnection:
        """The server's end."""
        (here,) = self._server.server_state.connections
        assert isinstance(here, ClientConnection)
        return here

    def is_over_after(self, seconds: float) -> bool:
        return self.here.is_over(asyncio.get_running_loop().time() + seconds)

    async def sees(self, what: str) -> None:
        """Waits until the server's end is in this state."""

        async def so() -> bool:
            return bool(self._server.server_state.connections) and bool(getattr(self.here, what))

        await until(so, LIMIT, f"the connection is {what}")

    async def sees_deaf(self) -> None:
        """Waits until the server's end has more to say than the client takes in."""

        async def so() -> bool:
            return self.here.flow.write_paused

        await until(so, LIMIT, "the client does not listen")

    async def ends(self) -> None:
        async def gone() -> bool:
            return not self._server.server_state.connections

        await until(gone, LIMIT, "the server ends the connection")


@pytest.fixture
async def line(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    """A server that looks at its clients each 0.1 seconds, and its only one."""
    monkeypatch.setattr(serving, "LOOK", 1)
    gate, listening = Gate(), listen_at("127.0.0.1", 0)
    server = http_server(gate)
    running = asyncio.create_task(server.serve([listening]))
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # else the kernel would listen for a client
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, listening.getsockname())
    reader, writer = await asyncio.open_connection(sock=client, limit=4096)
    try:
        yield Line(gate, server, reader, writer)
    finally:
        gate.opened.set()
        writer.transport.abort()
        server.should_exit = True
        await asyncio.wait_for(running, LIMIT)
        listening.close()


async def test_a_client_has_its_time_for_each_thing_and_no_more(line: Line) -> None:
    line.say(HEAD[:9])
    await line.sees("_in_head")
    assert (line.is_over_after(0), line.is_over_after(ASK)) == (False, True)
    line.say(HEAD[9:])
    await line.sees("_in_body")
    assert (line.is_over_after(0), line.is_over_after(ASK)) == (False, True)
    line.say(b"body")
    assert await line.status() == 200
    assert (line.is_over_after(ASK + 1), line.is_over_after(IDLE)) == (False, True)


@pytest.mark.parametrize("ask", [HEAD + b"body", PAGE], ids=["quick", "page"])
async def test_a_client_owes_nothing_while_we_are_at_work(line: Line, ask: bytes) -> None:
    line.gate.opened.clear()
    line.say(ask)
    await line.sees("cycle")

    async def at_work() -> bool:
        return bool(line.gate.taken or line.gate.asked)

    await until(at_work, LIMIT, "the request is whole")
    assert not line.is_over_after(AGES)
    line.gate.opened.set()
    assert await line.status() == 200
    assert line.is_over_after(AGES)


async def test_a_client_whose_head_is_known_owes_nothing_either(line: Line) -> None:
    await line.teach()
    line.gate.opened.clear()
    line.say(HEAD + b"else")

    async def at_work() -> bool:
        return len(line.gate.taken) == 2

    await until(at_work, LIMIT, "the request is taken")
    assert not line.is_over_after(AGES)
    line.gate.opened.set()
    assert await line.status() == 200
    assert (line.is_over_after(ASK + 1), line.is_over_after(IDLE)) == (False, True)


async def test_a_client_that_does_not_listen_has_its_time_and_is_left(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.gate.page = b"x" * 1_000_000
    line.say(PAGE * 40)
    await line.sees_deaf()
    assert (line.is_over_after(0), line.is_over_after(LISTEN)) == (False, True)
    for _ in range(40):
        assert await line.status() == 200
    assert not line.is_over_after(LISTEN + 1)  # it has listened
    monkeypatch.setattr(connections, "LISTEN", 0.2)
    line.say(PAGE * 40)
    await line.ends()


async def test_what_a_deaf_client_asks_by_a_known_head_waits_as_well(line: Line) -> None:
    """The quick way writes at once: taken there, its answers would fill our memory."""
    await line.teach()
    line.gate.page = b"x" * 10_000_000
    line.say(PAGE)
    await line.sees_deaf()
    line.say(HEAD + b"else")
    line.writer.write_eof()
    while await line.reader.read(65_536):
        pass
    assert [request.body for request in line.gate.taken] == [b"body"]


async def test_as_many_as_may_be_asked_ahead_are_answered(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_AHEAD", 3)
    line.say(PAGE * 4)
    assert [await line.status() for _ in range(4)] == [200] * 4
    await line.teach()


async def test_one_more_than_may_be_asked_ahead_ends_the_connection_behind_the_first_answer(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_AHEAD", 3)
    line.say(PAGE * 5)
    assert await line.rest() == [200]
    assert line.gate.asked == 1


async def test_who_was_sent_away_has_a_moment_to_hear_why_and_no_more(line: Line) -> None:
    line.say(NONSENSE)
    assert await line.rest() == [400]
    assert (line.is_over_after(0), line.is_over_after(LINGER)) == (False, True)
    await line.ends()  # though the client keeps its end open


async def test_who_was_sent_away_is_not_heard_any_more(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the parser, which would find this head small once it is whole, nor by what is known."""
    monkeypatch.setattr(connections, "LINGER", LIMIT)
    await line.teach()
    line.say(HEAD[:-2] + b"x:" + b" " * MOST_HEAD)
    assert await line.rest() == [431]
    line.say(b"x\r\n\r\nbody")
    line.say(HEAD + b"else")
    line.writer.write_eof()
    await line.ends()
    assert [request.body for request in line.gate.taken] == [b"body"]


async def test_a_known_request_behind_the_end_is_not_heard(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LINGER", LIMIT)
    await line.teach()
    line.say(NONSENSE)
    assert await line.rest() == [400]
    line.say(HEAD + b"else")
    line.writer.write_eof()
    await line.ends()
    assert [request.body for request in line.gate.taken] == [b"body"]


async def test_a_known_head_inside_of_a_head_is_a_part_of_it(line: Line) -> None:
    await line.teach()
    line.say(b"POST /path HTTP/1.1\r\nx-said: ")
    await line.sees("_in_head")
    line.say(HEAD + b"else")
    assert await line.status() == 200
    await line.teach()
    assert [request.headers.get(b"x-said") for request in line.gate.taken] == [None, b"POST /path HTTP/1.1", None]


async def test_a_known_request_inside_of_a_body_is_a_body(line: Line) -> None:
    """Also of a request that was answered before its body came."""
    await line.teach()
    inside = HEAD + b"else"
    line.say(b"POST /page HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(inside))
    assert await line.status() == 200
    line.say(inside)
    await line.teach()
    assert [request.body for request in line.gate.taken] == [b"body", b"body"]


async def test_a_small_head_behind_a_long_body_is_no_giant(line: Line) -> None:
    """They come in one packet, and the head's end in another."""
    line.say(b"POST /path HTTP/1.1\r\ncontent-length: 40000\r\n\r\n" + b"x" * 40_000 + HEAD[:9])
    assert await line.status() == 200
    await line.sees("_in_head")
    line.say(HEAD[9:] + b"body")
    assert await line.status() == 200


async def test_a_giant_head_behind_a_body_is_refused(line: Line) -> None:
    line.say(HEAD + b"body" + HEAD[:-2] + b"x: x")
    assert await line.status() == 200
    await line.sees("_in_head")
    line.say(b"x" * (MOST_HEAD + 1))
    assert await line.rest() == [431]
