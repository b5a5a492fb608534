"""What an answer of a CRM means, which addresses may be asked, and that no request goes twice."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from smsdesk.crm import generic
from smsdesk.crm.http import LARGEST_ANSWER, HttpAnswer, HttpRequest, Refused, Unavailable, check_address
from tests.crm.serving import NOW, listening, visiting


async def asked(answer: web.Response, *, timeout: float = 5.0, longest: float = 60.0) -> HttpAnswer:
    """What is made of an answer."""

    async def handler(_request: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_put("/", handler)
    async with listening(app) as url, visiting(timeout=timeout, longest=longest) as visit:
        return await visit.http.call(HttpRequest("PUT", url, {}, b"{}"), NOW)


@pytest.mark.parametrize("status", [200, 201, 204, 404])
async def test_a_yes_and_no_such_thing_are_answers(status: int) -> None:
    assert (await asked(web.Response(status=status))).status == status


@pytest.mark.parametrize(
    ("status", "says", "raised"),
    [
        (301, "redirect", Refused),
        (400, "", Refused),
        (401, "credentials", Unavailable),
        (403, "", Refused),
        (408, "", Unavailable),
        (409, "", Unavailable),
        (422, "", Refused),
        (429, "", Unavailable),
        (500, "", Unavailable),
        (503, "", Unavailable),
    ],
)
async def test_what_may_heal_is_told_from_what_will_not(status: int, says: str, raised: type[Exception]) -> None:
    with pytest.raises(raised, match=rf"{status}.*{says}|{says}.*{status}"):
        await asked(web.Response(status=status, headers={"Location": "/"}))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0), ("soon", 0.0),
     ("99999999999", 86_400.0), ("", 0.0)],
)  # fmt: skip
async def test_how_long_it_asks_to_be_left_alone(value: str, seconds: float) -> None:
    with pytest.raises(Unavailable) as told:
        await asked(web.Response(status=503, headers={"Retry-After": value}))
    assert told.value.retry_after == seconds


async def test_the_reason_has_the_crm_s_own_words() -> None:
    said = {"error": "RecordInvalid", "details": {"status": [{"description": "Status is closed"}]}, "count": 3}
    with pytest.raises(Refused) as told:
        await asked(web.json_response(said, status=422))
    assert str(told.value) == "the CRM refused it (422): RecordInvalid Status is closed"
    assert told.value.code == "RecordInvalid"


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff", b"[1]", b'{"error": 7}'])
async def test_a_reason_in_other_words_is_its_status_alone(body: bytes) -> None:
    with pytest.raises(Refused) as told:
        await asked(web.Response(status=400, body=body))
    assert str(told.value) == "the CRM refused it (400)"


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(Unavailable, match="octets"):
        await asked(web.Response(body=b"x" * (LARGEST_ANSWER + 1)))


async def test_a_redirect_is_not_followed() -> None:
    called = []

    async def lead(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response(status=307, headers={"Location": "/trap"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", lead)
    async with listening(app) as url, visiting() as visit:
        with pytest.raises(Refused):
            await visit.http.call(HttpRequest("POST", url, {"Authorization": "secret"}, b"{}"), NOW)
    assert called == ["/"]


@asynccontextmanager
async def hanging_up(after: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers so many requests of each connection, and hangs up on reading the next; what it read."""
    read: list[bytes] = []
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.update(filter(None, [asyncio.current_task()]))
        for _ in range(after):
            read.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        read.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", read
    finally:
        server.close()
        await asyncio.wait(serving)


async def test_a_put_whose_connection_dies_is_not_repeated_in_silence() -> None:
    async with hanging_up(after=1) as (url, read), visiting() as visit:
        await visit.http.call(HttpRequest("PUT", url, {}), NOW)
        with pytest.raises(Unavailable):
            await visit.http.call(HttpRequest("PUT", url, {}), NOW)
    assert len(read) == 2


async def test_what_is_not_there_or_silent_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/secret-path"
        async with visiting(timeout=0.1) as visit:
            with pytest.raises(Unavailable, match="no answer in time") as told:
                await visit.http.call(HttpRequest("GET", url, {}), NOW)
            assert "secret-path" not in str(told.value)
    async with visiting() as visit:
        with pytest.raises(Unavailable, match="refused"):
            await visit.http.call(HttpRequest("GET", url, {}), NOW)


async def test_a_process_that_stood_still_begins_no_request() -> None:
    with pytest.raises(Unavailable, match="stood still"):
        await asked(web.Response(), longest=-0.001)


@pytest.mark.parametrize(
    "address",
    ["http://crm.example.com", "ftp://crm.example.com", "crm.example.com", "https://", "https://user:pw@crm.example.com",
     "https://crm.example.com/#top", "https://crm.example.com/a b", "http://10.0.0.7", "http://localhost.example.com"],
)  # fmt: skip
def test_an_address_that_must_not_be_asked(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        check_address(address, plain_http=False)


@pytest.mark.parametrize(
    "address", ["https://crm.example.com/hook?x=1", "http://127.0.0.1:8080", "http://[::1]/", "http://localhost:1"]
)
def test_an_address_that_may(address: str) -> None:
    check_address(address, plain_http=False)


def test_plain_http_to_another_machine_has_to_be_said() -> None:
    check_address("http://10.0.0.7", plain_http=True)
    with pytest.raises(ValueError, match="plain_http"):
        generic.Config(url="http://10.0.0.7", secret="x")


def test_no_secret_is_in_the_repr() -> None:
    assert "hush" not in repr(generic.Config(url="https://crm.example.com", secret="hush"))
