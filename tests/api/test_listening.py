"""New connections are taken as they come: all that wait, in a loop that is busy as well, and again after a shortage."""

import asyncio
import errno
import os
import resource
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from typing import cast

import pytest
import uvloop
from structlog.testing import capture_logs

from smsdesk import wiring
from smsdesk.api import listening
from smsdesk.api.listening import Listener
from smsdesk.prove.networks import machines, why_not
from smsdesk.wiring import listen_at

LIMIT = 20.0


class Taken(asyncio.Protocol):
    """Counts the connections that were made, and says a word to each."""

    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).made += 1
        cast(asyncio.Transport, transport).write(b"hello")  # uvloop's is one by duck type only


@contextmanager
def clients(door: socket.socket, many: int) -> Iterator[list[socket.socket]]:
    """So many connections that the kernel has made; nobody has taken them yet."""
    made = [socket.create_connection(door.getsockname(), LIMIT) for _ in range(many)]
    try:
        yield made
    finally:
        for each in made:
            each.close()


def on_uvloop(story: Callable[[socket.socket, type[Taken]], Coroutine[None, None, None]]) -> None:
    """Runs it on the server's own loop, with a listening socket and a protocol that has counted nothing."""
    door = listen_at("127.0.0.1", 0)
    try:
        uvloop.run(asyncio.wait_for(story(door, type("_Taken", (Taken,), {})), LIMIT))
    finally:
        door.close()


async def turns(many: int) -> None:
    for _ in range(many):
        await asyncio.sleep(0)


def test_all_who_wait_are_taken_in_a_few_turns_of_the_loop() -> None:
    async def story(door: socket.socket, taken: type[Taken]) -> None:
        with clients(door, 3 * listening.AT_ONCE):
            listener = Listener(door, taken)
            await turns(10)
            assert taken.made == 3 * listening.AT_ONCE
            listener.close()

    on_uvloop(story)


def test_a_turn_takes_a_bounded_number() -> None:
    async def story(door: socket.socket, taken: type[Taken]) -> None:
        with clients(door, 3 * listening.AT_ONCE):
            listener = Listener(door, taken)
            seen = [0]
            while seen[-1] < 3 * listening.AT_ONCE:
                await turns(1)
                seen.append(taken.made)
            assert max(after - before for before, after in pairwise(seen)) <= listening.AT_ONCE
            listener.close()

    on_uvloop(story)


def test_who_comes_later_and_who_has_gone_meanwhile_are_in_nobodys_way() -> None:
    async def story(door: socket.socket, taken: type[Taken]) -> None:
        with clients(door, 5) as gone:
            for each in gone:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, at once
        listener = Listener(door, taken)
        await turns(5)
        for _ in range(3):
            reader, writer = await asyncio.open_connection(*door.getsockname())
            assert await reader.readexactly(5) == b"hello"
            writer.close()
        listener.close()
        await listener.wait_closed()

    on_uvloop(story)


def test_a_closed_listener_takes_nobody() -> None:
    async def story(door: socket.socket, taken: type[Taken]) -> None:
        listener = Listener(door, taken)
        listener.close()
        listener.close()
        with clients(door, 1):
            await turns(10)
            assert taken.made == 0

    on_uvloop(story)


@contextmanager
def no_file_left() -> Iterator[None]:
    """This process may open none, for a while."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_where_no_file_is_left_it_rests_and_goes_on_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PAUSE", 0.2)

    async def story(door: socket.socket, taken: type[Taken]) -> None:
        loop = asyncio.get_running_loop()
        with clients(door, 4) as waiting, capture_logs() as logs:
            began = loop.time()
            listener = Listener(door, taken)
            with no_file_left():
                while len(logs) < 3:
                    await turns(1)
            assert loop.time() - began > 1.9 * listening.PAUSE  # no more often than that
            for each in waiting:
                each.setblocking(False)
                assert await loop.sock_recv(each, 5) == b"hello"
            listener.close()
        assert {each["event"] for each in logs} == {"no more connections"}

    on_uvloop(story)


def test_a_rest_ends_with_the_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PAUSE", 0.05)

    async def story(door: socket.socket, taken: type[Taken]) -> None:
        loop = asyncio.get_running_loop()
        with clients(door, 1), capture_logs() as logs:
            listener = Listener(door, taken)
            with no_file_left():
                while not logs:
                    await turns(1)
                listener.close()
            over = loop.time() + 2 * listening.PAUSE
            while loop.time() < over:
                await turns(1)
            assert taken.made == 0

    on_uvloop(story)


CLIENT = """
import socket, sys
line = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
print(line.recv(5).decode(), flush=True)
sys.stdin.read()
"""


class Streaming(asyncio.Protocol):
    """Says a word now and then, as a stream of events does, and knows when the connection is lost."""

    def __init__(self) -> None:
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.say()

    def say(self) -> None:
        if not self.lost.done():
            self.transport.write(b"hello")
            asyncio.get_running_loop().call_later(0.1, self.say)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set_result(error)


@pytest.mark.skipif(why_not() is not None, reason=why_not() or "")
def test_a_client_whose_machine_has_vanished_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No FIN, no reset: what the server sends is never acknowledged. The kernel alone would try for a quarter of an
    hour."""
    monkeypatch.setattr(wiring, "VANISHED", 1_000)
    with machines(1) as (machine,), closing(listen_at(machine.here("front"), 0)) as door:

        async def story() -> None:
            made = list[Streaming]()

            def protocol() -> Streaming:
                made.append(Streaming())
                return made[-1]

            listener = Listener(door, protocol)
            client = await asyncio.create_subprocess_exec(
                "ip", "netns", "exec", machine.name, sys.executable, "-c", CLIENT, *map(str, door.getsockname()),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert client.stdout is not None
            assert await client.stdout.readline() == b"hello\n"
            machine.cut("front")
            try:
                error = await asyncio.wait_for(made[0].lost, LIMIT)
            finally:
                listener.close()
                made[0].transport.abort()
                client.kill()
                await client.communicate()
            assert isinstance(error, OSError)
            assert error.errno in {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH}

        uvloop.run(story())
