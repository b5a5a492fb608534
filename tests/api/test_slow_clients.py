"""Clients that are slow, silent, deaf, too large, or no clients at all: each ends in time, and is in nobody's way."""

import asyncio
import base64
import json
import os
import re
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from smsdesk.api import connections
from smsdesk.api.http import MOST_BODY
from smsdesk.bench.processes import family
from tests.kit.api import SEED, Api
from tests.kit.processes import serving, until

SHORT = 0.5
"""Seconds that stand for each of the deadlines here."""
SOON = SHORT + 4
"""Seconds within which a deadline of `SHORT` has been seen: the server looks once a second."""
BASIC = base64.b64encode(b"acme:secret").decode()


@pytest.fixture(autouse=True)
def _short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASK", "IDLE", "LISTEN", "LINGER"):
        monkeypatch.setattr(connections, name, SHORT)


def head(length: int | None = None, *more: str, path: str = "/apps/api/v1/sms", method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: a", f"Authorization: Basic {BASIC}", "Content-Type: application/json"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    return "\r\n".join([*lines, *more, "", ""]).encode()


def send(number: int = 0) -> bytes:
    """A whole send to a consumer of its own."""
    body = json.dumps({**SEED, "end_user_number": f"+1415555{number:04}"}).encode()
    return head(len(body)) + body


class Raw:
    """A connection that says what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def all(self, seconds: float = SOON) -> bytes:
        """What the server says until it ends the connection."""
        said = bytearray()
        with suppress(ConnectionResetError):
            async with asyncio.timeout(seconds):
                while piece := await self.reader.read(65_536):
                    said += piece
        return bytes(said)

    async def drip(self, data: bytes, pause: float = 0.05, size: int = 1) -> bytes:
        """Says it in pieces, then waits; what the server said until it ended the connection."""
        ending = asyncio.ensure_future(self.all(20))
        for place in range(0, len(data), size):
            done, _ = await asyncio.wait([ending], timeout=pause)
            if done:
                break
            self.say(data[place : place + size])
        return await ending


@asynccontextmanager
async def connected(api: Api) -> AsyncIterator[Raw]:
    where = urlsplit(api.base_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()


def statuses(said: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d+) ", said)]


async def beside(api: Api, number: int = 9_000) -> float:
    """Seconds of an ordinary send."""
    began = time.monotonic()
    assert (await api.send(end_user_number=f"+1415555{number:04}")).status == 200
    return time.monotonic() - began


async def test_a_head_of_a_byte_at_a_time_ends(api: Api) -> None:
    async with connected(api) as raw:
        began = time.monotonic()
        assert await raw.drip(head(9) * 100) == b""
        assert time.monotonic() - began < SOON


async def test_a_connection_that_says_nothing_ends(api: Api) -> None:
    async with connected(api) as raw:
        assert await raw.all() == b""


@pytest.mark.parametrize("path", ["/apps/api/v1/sms", "/apps/api/v1/chats/1/message", "/desk/sign_in", "/nowhere"])
async def test_a_body_that_never_comes_ends(api: Api, path: str) -> None:
    async with connected(api) as raw:
        raw.say(head(1_000, path=path) + b"{")
        assert 200 not in statuses(await raw.all())


async def test_a_body_of_a_byte_at_a_time_ends(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(head(60_000))
        began = time.monotonic()
        await raw.drip(b" " * 60_000)
        assert time.monotonic() - began < SOON


async def test_a_long_body_at_a_fair_pace_is_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture over a poor line takes longer than a request may, and is no attack."""
    monkeypatch.setattr(connections, "PACE", 2_000)
    monkeypatch.setattr(connections, "IDLE", SHORT)
    body = json.dumps({"files": [{"name": "a.jpg", "content": "A" * 20_000}]}).encode()
    async with connected(api) as raw:
        raw.say(head(len(body), path="/apps/api/v1/chats/1/photos"))
        began = time.monotonic()
        said = await raw.drip(body, pause=0.2, size=1_500)
        assert time.monotonic() - began > 2.5
    assert len(statuses(said)) == 1


@pytest.mark.parametrize("part", [send()[:1], send()[:-1]])
async def test_a_later_request_has_no_more_time_than_the_first(
    api: Api, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr(connections, "IDLE", 60.0)
    async with connected(api) as raw:
        raw.say(send())
        await raw.reader.readuntil(b"}")
        raw.say(part)
        assert statuses(await raw.all()) == []


async def test_an_idle_connection_ends(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(send())
        assert statuses(await raw.all()) == [200]


@pytest.mark.parametrize(
    "large",
    [
        b"X-Large: " + b"x" * 40_000 + b"\r\n\r\n",
        b"".join(b"X-%d: %b\r\n" % (n, b"x" * 90) for n in range(400)) + b"\r\n",
        b"X-Endless: " + b"x" * 4_000_000,
    ],
    ids=["one", "many", "endless"],
)
@pytest.mark.parametrize("first", [b"", send()], ids=["first", "second"])
async def test_a_giant_head_is_refused(api: Api, large: bytes, first: bytes) -> None:
    async with connected(api) as raw:
        raw.say(first + head(2)[:-2] + large)
        said = await raw.all()
    assert statuses(said) == ([200] if first else [431])
    assert await beside(api) < 1


async def test_large_heads_one_after_another_are_no_giant(api: Api) -> None:
    ask = b"GET /health HTTP/1.1\r\nHost: a\r\nX-Large: " + b"x" * 10_000
    async with connected(api) as raw:
        for _ in range(5):
            raw.say(ask)
            await api.db.fetchval("select 1")  # the server has read the first piece meanwhile
            raw.say(b"\r\n\r\n")
            assert statuses(await raw.reader.readuntil(b"\r\n\r\n")) == [200]
            await raw.reader.readuntil(b"}")


async def test_a_giant_url_is_refused(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(b"GET /" + b"x" * 100_000)
        assert statuses(await raw.all()) == [431]


async def test_a_giant_body_is_refused_by_its_length(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(head(MOST_BODY + 1))
        said = await asyncio.wait_for(raw.reader.readuntil(b"\r\n\r\n"), SOON)
        assert statuses(said) == [413]


@pytest.mark.parametrize("form", ["length", "chunks"])
async def test_who_still_sends_a_giant_body_gets_the_answer(api: Api, form: str) -> None:
    async with connected(api) as raw:
        if form == "length":
            raw.say(head(5_000_000) + b" " * 5_000_000)
        else:
            raw.say(head(None, "Transfer-Encoding: chunked") + b"4000\r\n%b\r\n" % (b" " * 0x4000) * 300)
        assert statuses(await raw.all()) == [413]
    assert await api.count("chats") == 0


async def test_a_body_shorter_than_its_length_is_no_send(api: Api) -> None:
    whole = send()
    async with connected(api) as raw:
        raw.say(whole[:-1])
        raw.writer.write_eof()
        assert await raw.all() == b""
    async with connected(api) as raw:
        raw.say(whole[:-1])
        assert await raw.all() == b""
    assert await api.count("chats") == 0


async def test_requests_ahead_are_answered_in_turn(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(b"".join(map(send, range(20))))
        said = await raw.all()
    assert statuses(said) == [200] * 20
    answered = [int(chat_id) for chat_id in re.findall(rb'\r\n\r\n\{"id":(\d+),', said)]
    sent = await api.db.fetch("select chat_id from chats join end_users using (tenant_id, end_user_id) order by number")
    assert answered == [row[0] for row in sent]


async def test_too_many_requests_ahead_end_the_connection(api: Api) -> None:
    flood = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    async with connected(api) as raw:
        raw.say(flood * 50_000)
        said = await raw.all(20)
    assert len(statuses(said)) <= connections.MOST_AHEAD
    assert await beside(api) < 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"HELO example.com\r\n",
        b"\x00" * 100,
        b"POST /apps/api/v1/sms HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["tls", "smtp", "zeros", "http-9.9", "http-2"],
)
async def test_what_is_no_http_is_told_so(api: Api, nonsense: bytes) -> None:
    async with connected(api) as raw:
        raw.say(nonsense)
        said = await raw.all()
    assert statuses(said) == [400]
    assert json.loads(said.partition(b"\r\n\r\n")[2]) == {"message": "this is no request of HTTP/1.1"}


async def test_a_request_of_http_0_9_waits_for_no_answer(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(b"GET /\r\n")
        assert await raw.all() == b""


async def test_nonsense_behind_a_send_takes_nothing_from_its_answer(api: Api) -> None:
    async with connected(api) as raw:
        raw.say(send() + b"\x16\x03\x01 and so on")
        assert statuses(await raw.all()) == [200]
    assert await api.count("chats") == 1


BODY = send().partition(b"\r\n\r\n")[2]
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


TWO_WAYS = [
    head(len(BODY), f"Content-Length: {len(BODY)}") + BODY,
    head(len(BODY), "Content-Length: 3") + BODY,
    head(len(BODY), "Transfer-Encoding: chunked") + CHUNKED,
    head(None, "Transfer-Encoding: chunked", f"Content-Length: {len(BODY)}") + CHUNKED,
    head(None, "Transfer-Encoding: chunked, identity") + CHUNKED,
    head(None, f"Content-Length: +{len(BODY)}") + BODY,
    head(None, f"Content-Length: {len(BODY)}, {len(BODY)}") + BODY,
    head(None, f"Content-Length : {len(BODY)}") + BODY,
    head(None, f"X-A: b\r\n Content-Length: {len(BODY)}") + BODY,
    head(None, "Transfer-Encoding: chunked") + CHUNKED.replace(b"\r\n", b" ;\n", 1),
    head(None, "Transfer-Encoding: chunked") + b"-5\r\n" + BODY,
]
NAMES = ["two-lengths", "two-other-lengths", "length-and-chunks", "chunks-and-length", "chunks-not-last", "plus",
         "list", "space", "folded", "chunk-line", "chunk-length"]  # fmt: skip


@pytest.mark.parametrize("shape", TWO_WAYS, ids=NAMES)
async def test_what_two_readers_would_read_in_two_ways_is_refused(api: Api, shape: bytes) -> None:
    async with connected(api) as raw:
        raw.say(shape + send(1))
        said = await raw.all()
    assert statuses(said)[:1] == [400]
    assert len(statuses(said)) == 1
    assert await api.count("chats") == 0


async def test_who_does_not_read_his_answers_is_left(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than all buffers of the kernel hold: the page of the API, over and over."""
    monkeypatch.setattr(connections, "IDLE", 60.0)
    monkeypatch.setattr(connections, "ASK", 60.0)
    where = urlsplit(api.base_url)
    await beside(api)
    before = open_files()
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    await asyncio.get_running_loop().sock_connect(deaf, (where.hostname, where.port))
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(deaf, ask * (connections.MOST_AHEAD - 1))
    assert await beside(api, 9_001) < 1

    async def left() -> bool:
        return open_files() <= before + 1  # his own end

    await until(left, 20, "the server leaves a client that does not read")
    deaf.close()


async def test_who_reads_on_in_time_is_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE", 60.0)
    monkeypatch.setattr(connections, "ASK", 2.0)
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    async with connected(api) as raw, connected(api) as silent:
        raw.say(ask)
        whole = await raw.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", whole)
        assert length
        await raw.reader.readexactly(int(length[1]))
        raw.say(ask * 60)
        await raw.reader.readexactly(60 * (len(whole) + int(length[1])))
        assert await silent.all() == b""  # which takes longer than a client may be deaf
        raw.say(send())
        assert statuses(await raw.reader.readuntil(b"\r\n\r\n")) == [200]


def open_files(pid: int | str = "self") -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


async def test_hundreds_of_bad_clients_are_in_nobodys_way(api: Api) -> None:
    await beside(api)
    files = open_files()
    async with asyncio.TaskGroup() as group:
        began = asyncio.Event()

        async def bad(number: int) -> None:
            async with connected(api) as raw:
                raw.say((b"", head(9)[:-2], head(1_000), send(number)[:-1])[number % 4])
                began.set()
                assert await raw.all(20) == b""

        for number in range(400):
            group.create_task(bad(number))
        await began.wait()
        for number in range(10):
            assert await beside(api, 9_100 + number) < 1

    async def as_before() -> bool:
        return open_files() <= files + 1

    await until(as_before, 10, "every connection is given back")


THOUSANDS = 3_000


def resident(pid: int) -> float:
    """Megabytes that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024


@pytest.mark.slow
async def test_thousands_of_silent_connections_to_a_real_server_are_all_given_back(
    database: str, tmp_path: Path
) -> None:
    """With the deadlines as they are, and more connections than many systems give to a process that does not ask."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < THOUSANDS + 500:
        pytest.skip(f"this machine allows {hard} open files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))
    before = set(family(os.getpid()))
    async with serving(tmp_path, "api", database) as server:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        pid = min(set(family(os.getpid())) - before)
        where = urlsplit(server.base_url)
        idle, memory, silent = open_files(pid), resident(pid), []
        try:
            for _ in range(THOUSANDS):
                silent.append(socket.create_connection((where.hostname, where.port)))

            async def all_held() -> bool:
                return open_files(pid) >= idle + THOUSANDS

            async def all_back() -> bool:
                return open_files(pid) <= idle + 10  # it opens one to the database now and then

            await until(all_held, 10, "the server holds all connections")
            assert resident(pid) - memory < THOUSANDS * 0.02  # 20 KB each
            async with aiohttp.ClientSession() as http:
                began = time.monotonic()
                async with http.get(f"{server.base_url}/health") as answer:
                    assert answer.status == 200
                assert time.monotonic() - began < 1
            await until(all_back, connections.ASK + 20, "the server ends all of them")
        finally:
            for each in silent:
                each.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await server.stop()
