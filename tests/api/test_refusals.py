"""In a turn of the loop some are refused, and no more: the others in later turns, in the order in which they came."""

import asyncio
import socket
from typing import Any

from smsdesk.api.http import Answer, Request
from smsdesk.api.refusals import IN_A_TURN, Refusals
from smsdesk.api.serving import Done, http_server
from smsdesk.wiring import listen_at
from tests.api.test_serving import LIMIT


async def turn() -> None:
    """The next turn of the loop."""
    await asyncio.sleep(0)


async def test_some_are_given_in_a_turn_and_as_many_in_the_next() -> None:
    refusals = Refusals()
    assert [refusals.may_give() for _ in range(IN_A_TURN + 2)] == [True] * IN_A_TURN + [False] * 2
    await turn()
    assert refusals.may_give()


async def test_the_others_are_given_in_their_order_some_in_each_turn() -> None:
    refusals, given = Refusals(), list[int]()
    many = 2 * IN_A_TURN + 7
    for number in range(many):
        refusals.give_later(lambda number=number: given.append(number))  # type: ignore[misc]
    assert given == []
    for after in (IN_A_TURN, 2 * IN_A_TURN, many):
        await turn()
        assert given == list(range(after))
    await turn()
    assert len(given) == many


async def test_nobody_is_given_his_before_those_who_stand_in_line_or_beside_them() -> None:
    refusals, given = Refusals(), list[str]()
    refusals.give_later(lambda: given.append("in line"))
    assert not refusals.may_give()
    await turn()
    assert given == ["in line"]
    assert [refusals.may_give() for _ in range(IN_A_TURN)] == [True] * (IN_A_TURN - 1) + [False]


ASKED = b"POST /path HTTP/1.1\r\ncontent-length: 0\r\n\r\n"
AWAY: Answer = (503, b"{}", ((b"retry-after", b"2"),))


class _Full:
    """A route without room, once it is full."""

    path = b"/path"

    def __init__(self) -> None:
        self.full = False
        self.longest = 0

    @property
    def quick(self) -> "_Full":
        return self

    def refuse(self, in_line: int) -> Answer | None:
        self.longest = max(self.longest, in_line)
        return AWAY if self.full else None

    def take(self, request: Request, done: Done) -> None:
        done((200, b"{}", ()))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("all that is asked here is plain")


async def test_a_crowd_is_refused_in_several_turns_and_each_of_it_once() -> None:
    route = _Full()
    server, listening = http_server(route), listen_at("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listening]))
    many = 3 * IN_A_TURN
    wires = [await asyncio.open_connection("127.0.0.1", listening.getsockname()[1]) for _ in range(many)]
    wires[0][1].write(ASKED)
    assert (await asyncio.wait_for(wires[0][0].readuntil(b"\r\n\r\n{}"), LIMIT)).startswith(b"HTTP/1.1 200")
    route.full = True
    for _, writer in wires:
        writer.write(ASKED)
    state, each_turn = server.server_state, list[int]()
    async with asyncio.timeout(LIMIT):
        while state.total_requests < many + 1:
            before = state.total_requests
            await turn()
            each_turn.append(state.total_requests - before)
    assert max(each_turn) <= IN_A_TURN
    assert IN_A_TURN <= route.longest < many
    for reader, writer in wires:
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n{}"), LIMIT)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 2\r\n" in answer
        writer.write(ASKED)  # the connection goes on
    route.full = False
    for reader, writer in wires[:2]:
        writer.write(ASKED)
        statuses = [await asyncio.wait_for(reader.readline(), LIMIT)]
        while b"200" not in statuses[-1]:
            await reader.readuntil(b"{}")
            statuses.append(await asyncio.wait_for(reader.readline(), LIMIT))
        assert statuses[-1].startswith(b"HTTP/1.1 200")
    for _, writer in wires:
        writer.close()
    server.should_exit = True
    await asyncio.wait_for(serving, LIMIT)
    listening.close()


class _Both(_Full):
    """The same, that also answers what cannot go the quick way."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"second"})


async def test_who_stands_in_line_may_go_or_ask_for_more() -> None:
    route, loop = _Both(), asyncio.get_running_loop()
    server, listening = http_server(route), listen_at("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listening]))
    # Plain sockets: what they send is there at once, not a turn later.
    wires = [socket.create_connection(listening.getsockname()) for _ in range(6 * IN_A_TURN)]

    async def answers(wire: socket.socket, count: int) -> bytes:
        said = b""
        async with asyncio.timeout(LIMIT):
            while said.count(b"HTTP/1.1 ") < count or not said.endswith((b"{}", b"second")):
                said += await loop.sock_recv(wire, 4096)
        return said

    for wire in wires:
        wire.setblocking(False)
    wires[0].send(ASKED)
    assert b" 200 " in await answers(wires[0], 1)
    async with asyncio.timeout(LIMIT):
        while len(server.server_state.connections) < len(wires):
            await turn()
    route.full = True
    for wire in wires:
        wire.send(ASKED)
    async with asyncio.timeout(LIMIT):
        while server.server_state.total_requests == 1:
            await turn()
    assert server.server_state.total_requests < len(wires), "nobody stands in line"
    gone, more, half = wires[::3], wires[1::3], wires[2::3]
    for one, another, third in zip(gone, more, half, strict=True):
        one.close()
        another.send(ASKED)
        third.send(ASKED[:9])
    said = [await answers(wire, 2) for wire in more]
    assert {each.count(b" 503 ") for each in said} == {2}
    # A second request that met the first one in line went the framework's way.
    assert any(each.endswith(b"second") for each in said)
    for wire in half:
        first = await answers(wire, 1)
        wire.send(ASKED[9:])
        assert (first + await answers(wire, 1)).count(b" 503 ") == 2
    for wire in wires:
        wire.close()
    server.should_exit = True
    await asyncio.wait_for(serving, LIMIT)
    listening.close()
