"""The one address, byte by byte: whichever way a send takes through the server, quick or through the framework, it is
answered alike and in its turn."""

import asyncio
import base64
import json
import re

import pytest

from tests.kit.api import SEED, Api

AUTH = b"Authorization: Basic " + base64.b64encode(b"acme:secret") + b"\r\n"
LIMIT = 20.0


def body_to(number: int) -> bytes:
    return json.dumps({**SEED, "end_user_number": f"+1 415 555 {number:04}"}).encode()


def post(body: bytes, *headers: bytes, line: bytes = b"POST /apps/api/v1/sms HTTP/1.1") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return line + b"\r\nHost: acme\r\n" + AUTH + b"".join(h + b"\r\n" for h in headers) + length + b"\r\n" + body


class Wire:
    """A TCP connection to the server."""

    def __init__(self, api: Api) -> None:
        self.port = int(api.base_url.rpartition(":")[2])

    async def __aenter__(self) -> "Wire":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), LIMIT)).decode()
        headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): (.*)\r$", head, re.MULTILINE)}
        body = await asyncio.wait_for(self.reader.readexactly(int(headers["content-length"])), LIMIT)
        return int(head.split()[1]), headers, body

    async def is_over(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), LIMIT) == b""


async def test_a_send_is_answered_with_the_head_that_the_framework_gives(api: Api) -> None:
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(100)))
        status, quick, body = await wire.answer()
        assert (status, json.loads(body)["outbound_number"]) == (200, "+16285550199")
        wire.writer.write(post(body_to(101), b"Expect: 100-continue"))
        assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        status, framework, _ = await wire.answer()
    assert status == 200
    assert quick.keys() == framework.keys() == {"content-type", "content-length", "date"}
    assert quick["content-type"] == framework["content-type"] == "application/json"


async def test_requests_that_come_at_once_are_answered_in_their_order(api: Api) -> None:
    known = post(b"", line=b"GET /apps/api/v1/queues HTTP/1.1")
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(100)) + post(body_to(101)) + known + post(b"{") + post(body_to(102)) + known)
        answers = [await wire.answer() for _ in range(6)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 400, 200, 200]
    sent = [json.loads(answers[index][2])["id"] for index in (0, 1, 4)]
    assert sent == sorted(sent)
    assert json.loads(answers[2][2]) == json.loads(answers[5][2]) != []
    assert await api.count("chats") == 3


@pytest.mark.parametrize("size", [1, 7, 300])
async def test_a_request_may_come_in_pieces(api: Api, size: int) -> None:
    whole = post(body_to(100))
    async with Wire(api) as wire:
        for start in range(0, len(whole), size):
            wire.writer.write(whole[start : start + size])
            await wire.writer.drain()
            await asyncio.sleep(0)
        status, _, body = await wire.answer()
    assert status == 200
    assert json.loads(body)["end_user"]["id"]


async def test_a_body_may_come_in_chunks(api: Api) -> None:
    body = body_to(100)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in (body[:10], body[10:90], body[90:]))
    head = post(b"", b"Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    async with Wire(api) as wire:
        wire.writer.write(head + chunks + b"0\r\n\r\n" + post(body_to(101)))
        assert [(await wire.answer())[0] for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        (b"POST /apps/api/v1/sms HTTP/1.0", ()),
        (b"POST /apps/api/v1/sms HTTP/1.1", (b"Connection: close",)),
        (b"POST http://acme/apps/api/v1/sms HTTP/1.1", (b"Connection: close",)),
        (b"POST /apps/api/v1/s%6ds HTTP/1.1", (b"Connection: close",)),
        (b"POST /apps/api/v1/sms? HTTP/1.1", (b"Connection: close",)),
    ],
)
async def test_who_asks_for_the_end_of_the_connection_gets_it(
    api: Api, line: bytes, headers: tuple[bytes, ...]
) -> None:
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(100), *headers, line=line))
        status, said, _ = await wire.answer()
        assert (status, said["connection"]) == (200, "close")
        assert await wire.is_over()


async def test_a_path_that_only_begins_like_it_is_another(api: Api) -> None:
    async with Wire(api) as wire:
        for path in (b"/apps/api/v1/smses", b"/apps/api/v1/sms/", b"/apps/api/v1/sms%3f"):
            wire.writer.write(post(body_to(100), line=b"POST " + path + b" HTTP/1.1"))
            assert (await wire.answer())[0] == 404
        wire.writer.write(post(body_to(100), line=b"POST /apps/api/v1/sms?dry_run=1 HTTP/1.1"))
        status, _, body = await wire.answer()
    assert (status, json.loads(body)["would_send"]) == (200, True)
    assert await api.count("chats") == 0


async def test_a_client_that_left_is_sent_for_all_the_same(api: Api) -> None:
    """What was asked for whole is done: nobody can know that its client would not have waited."""
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(100)))
        await wire.writer.drain()
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(101)))
        assert (await wire.answer())[0] == 200
    assert await api.count("chats") == 2


async def test_a_client_that_left_in_the_middle_is_not(api: Api) -> None:
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(100))[:-3])
        await wire.writer.drain()
    async with Wire(api) as wire:
        wire.writer.write(post(body_to(101)))
        assert (await wire.answer())[0] == 200
    assert await api.count("chats") == 1
