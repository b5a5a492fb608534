"""Fetches: within bounds, never from a private address, and with a carrier's password to the carrier alone."""

import socket

import pytest
from aiohttp import web

from smsdesk.domain.media import MediaRefused
from smsdesk.media.addresses import PrivateAddress, guarded, is_public
from smsdesk.media.fetch import Access, Limits, TryAgain, fetch
from tests.media import samples
from tests.media.servers import redirect, source, trap

SECRET = {"Authorization": "Basic c2VjcmV0"}
ELSEWHERE = Access("https://api.carrier.example", SECRET)
LIMITS = Limits(5_000_000)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "127.0.0.1.", "LOCALHOST",
    ],
)  # fmt: skip
async def test_no_spelling_of_this_machine_is_connected_to(host: str) -> None:
    async with trap() as at:
        with pytest.raises((MediaRefused, TryAgain)):
            await fetch(f"http://{host}:{at.port}/secret", ELSEWHERE, LIMITS)
        assert at.connects == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_to_a_private_address(status: int) -> None:
    async with source() as own, trap() as at:
        own.answers["/file"] = redirect(f"http://127.0.0.1:{at.port}/secret", status)
        with pytest.raises(MediaRefused, match="not a public one"):
            await fetch(f"{own.url}/file", Access(own.url, SECRET), LIMITS)
        assert at.connects == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
        ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False), ("127.0.0.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("192.0.2.1", False), ("198.18.0.1", False), ("240.0.0.1", False),
        ("::1", False), ("::", False), ("fe80::1", False), ("fe80::1%eth0", False), ("fc00::1", False),
        ("fd00:ec2::254", False), ("ff02::1", False), ("fec0::1", False), ("::ffff:10.0.0.1", False),
        ("::10.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:a00:1::1", False), ("2001:db8::1", False),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),
    ],
)  # fmt: skip
def test_what_is_a_public_address(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_the_socket_is_where_it_is_decided() -> None:
    """Whatever a name led to: between this and the connection there is no other look-up."""
    seen: list[bool] = []
    make = guarded(lambda: seen.append(True))
    with pytest.raises(PrivateAddress):
        make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 80)))
    assert seen == [True]
    made = make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80)))
    assert made.getblocking() is False
    made.close()


async def test_hosts_that_are_allowed_may_be_private() -> None:
    async with source() as other:
        other.answers["/file"] = web.Response(body=samples.png())
        for hosts in ({"127.0.0.1"}, {f"127.0.0.1:{other.port}"}):
            assert await fetch(f"{other.url}/file", ELSEWHERE, Limits(1000, hosts)) == samples.png()
        with pytest.raises(MediaRefused, match="not a public one"):
            await fetch(f"{other.url}/file", ELSEWHERE, Limits(1000, {"127.0.0.1:1"}))
        assert all("authorization" not in request.headers for request in other.asked)


async def test_a_password_goes_to_its_own_host_and_port_alone() -> None:
    async with source() as own, source() as other:
        own.answers["/file"] = redirect(f"{other.url}/copy", 307)
        other.answers["/copy"] = web.Response(body=b"content")
        hosts = {"127.0.0.1"}
        assert await fetch(f"{own.url}/file", Access(own.url, SECRET), Limits(1000, hosts)) == b"content"
        assert own.asked[0].headers["Authorization"] == SECRET["Authorization"]
        assert "Authorization" not in other.asked[0].headers


async def test_three_redirects_are_followed_and_no_fourth() -> None:
    async with source() as own:
        for number in range(4):
            own.answers[f"/{number}"] = redirect(f"/{number + 1}")
        own.answers["/4"] = web.Response(body=b"content")
        assert await fetch(f"{own.url}/1", Access(own.url), LIMITS) == b"content"
        with pytest.raises(MediaRefused, match="more than 3 times"):
            await fetch(f"{own.url}/0", Access(own.url), LIMITS)


async def test_a_file_that_is_too_large_is_told_by_its_size_and_not_read() -> None:
    async with source() as own:

        async def large(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Length": "30000000"})
            await answer.prepare(request)
            return answer

        own.answers["/file"] = large
        with pytest.raises(MediaRefused, match=r"^30 MB: larger than 5 MB$"):
            await fetch(f"{own.url}/file", Access(own.url), LIMITS)


async def test_a_file_without_a_length_is_read_no_further_than_the_limit() -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        while sent < 50_000_000:
            await answer.write(bytes(65_536))
            sent += 65_536
        return answer

    async with source() as own:
        own.answers["/file"] = endless
        with pytest.raises(MediaRefused, match="larger than 1 MB"):
            await fetch(f"{own.url}/file", Access(own.url), Limits(1_000_000))
        assert sent < 50_000_000


async def test_a_packed_answer_is_not_unfolded() -> None:
    async with source() as own:
        own.answers["/file"] = web.Response(body=b"\x1f\x8b bomb", headers={"Content-Encoding": "gzip"})
        with pytest.raises(MediaRefused, match="packed"):
            await fetch(f"{own.url}/file", Access(own.url), LIMITS)


@pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
async def test_what_may_pass_is_tried_again(status: int) -> None:
    async with source() as own:
        own.answers["/file"] = web.Response(status=status)
        with pytest.raises(TryAgain, match=f"answered {status}"):
            await fetch(f"{own.url}/file", Access(own.url), LIMITS)


@pytest.mark.parametrize("status", [400, 401, 403, 410, 204])
async def test_what_will_not_pass_is_final(status: int) -> None:
    async with source() as own:
        own.answers["/file"] = web.Response(status=status)
        with pytest.raises(MediaRefused, match=f"answered {status}"):
            await fetch(f"{own.url}/file", Access(own.url), LIMITS)


async def test_a_server_that_is_away_is_tried_again() -> None:
    async with source() as own:
        url = own.url
    with pytest.raises(TryAgain, match="no connection"):
        await fetch(f"{url}/file", Access(url), LIMITS)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("file:///etc/passwd", "none of http"),
        ("ftp://files.example.com/a", "none of http"),
        ("", "none of http"),
        ("https://user:pass@files.example.com/a", "password"),
        ("http://files.example.com:99999/a", "cannot be read"),
        ("http://[::1/a", "cannot be read"),
    ],
)
async def test_what_is_no_address_of_the_web_is_refused(url: str, says: str) -> None:
    with pytest.raises(MediaRefused, match=says):
        await fetch(url, ELSEWHERE, LIMITS)
