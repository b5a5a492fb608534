"""Fetches what a carrier names: from public addresses, with bounds, and with the carrier's own password to nobody else.

fetch                 up to three redirects, each judged like the first address
`- _hop               one request: an address that may be connected to, an answer that may be read
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from smsdesk.domain.media import MediaRefused, too_large
from smsdesk.media.addresses import guarded

MOST_REDIRECTS = 3
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10, sock_read=20)
_PIECE = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({404, 408, 425, 429})
"""Answers that another try may change. Some vendors announce a file a moment before it can be had."""
_PORTS = {"http": 80, "https": 443}


class TryAgain(Exception):
    """The file could not be had now; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a carrier's own files are had: these headers go to its own scheme, host and port, and nowhere else."""

    base_url: str
    """Empty for a carrier that keeps nothing for us."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fetch may do."""

    most: int
    """Octets."""
    hosts: Collection[str] = ()
    """Hosts, or hosts with their port, that may have a private address."""


async def fetch(url: str, access: Access, limits: Limits) -> bytes:
    """The file at an address that a carrier named. Raises MediaRefused for what will never be fetched, TryAgain for
    what may be later."""
    for _ in range(MOST_REDIRECTS + 1):
        got = await _hop(url, access, limits)
        if isinstance(got, bytes):
            return got
        following = urljoin(url, got)
        if url.startswith("https:") and not following.startswith("https:"):
            raise MediaRefused("its address leads from https to something else")
        url = following
    raise MediaRefused(f"its address leads on more than {MOST_REDIRECTS} times")


async def _hop(url: str, access: Access, limits: Limits) -> bytes | str:
    """The file, or the address that it is at instead."""
    origin = _origin(url)
    own = bool(access.base_url) and origin == _origin(access.base_url)
    trusted = own or origin[1] in limits.hosts or f"{origin[1]}:{origin[2]}" in limits.hosts
    blocked: list[bool] = []
    factory = None if trusted else guarded(lambda: blocked.append(True))
    # A packed answer could unfold to any size.
    headers = {"User-Agent": "smsdesk", "Accept-Encoding": "identity", **(access.headers if own else {})}
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=factory, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(), timeout=_TIMEOUT,
            ) as session,
            session.get(URL(url), headers=headers, allow_redirects=False) as answer,
        ):  # fmt: skip
            return await _read(answer, limits.most)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if isinstance(error, MediaRefused):
            raise
        if blocked:
            raise MediaRefused("its address is not a public one") from None
        raise TryAgain("it could not be fetched: no connection, or no answer in time") from error


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; raises MediaRefused for what is no address of the web, or holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise MediaRefused("its address cannot be read") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise MediaRefused("its address is none of http or https")
    if parts.username is not None or parts.password is not None:
        raise MediaRefused("its address holds a password")
    return parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme]


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes | str:
    if answer.status in _REDIRECTS and "location" in answer.headers:
        return answer.headers["location"]
    if answer.status in _LATER or answer.status >= 500:
        raise TryAgain(f"the server that has it answered {answer.status}")
    if answer.status != 200:
        raise MediaRefused(f"the server that has it answered {answer.status}")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaRefused("packed by the server that has it")
    if answer.content_length is not None and answer.content_length > most:
        raise too_large(answer.content_length, most)
    content = bytearray()
    async for piece in answer.content.iter_chunked(_PIECE):
        content += piece
        if len(content) > most:
            raise too_large(len(content), most)
    if answer.content_length is not None and len(content) < answer.content_length:
        raise TryAgain("it broke off")
    return bytes(content)
