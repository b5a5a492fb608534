"""One HTTP request to a CRM and its one answer, what a failure means, and what a person sets for any CRM."""

import ipaddress
import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Meta, Struct
from yarl import URL

T = TypeVar("T")
Word = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(gt=0, le=30)]

LARGEST_ANSWER = 2_000_000
"""Octets. A page of 100 comments of a ticket has some hundred thousand."""
LONGEST_RETRY_AFTER = 86_400.0
"""Seconds. A CRM that asks for more patience than a day is asked again after one."""
_KEEP_ALIVE = 4.0
_LONGEST_WORDS = 200
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_PAGE = re.compile(r"https?://[^\s<>\"']{1,2000}")


class Unavailable(Exception):
    """The CRM did not do it now and may do it later; the text says why, without any secret."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        """`retry_after` is in seconds, 0.0 where the CRM names none."""
        super().__init__(why)
        self.retry_after = retry_after


class Refused(Exception):
    """The CRM will not do it, however often it is asked; the text says why and what to do."""

    def __init__(self, why: str, code: str = "") -> None:
        """`code` is the CRM's own word for it, where it has one."""
        super().__init__(why)
        self.code = code


class CrmConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that all CRMs have. No secret is in the repr."""

    contacts: Literal["find", "create"] = "find"
    """A consumer whom the CRM does not know: stays unknown there, or is made a contact."""
    tickets: Literal["given", "append", "create"] = "given"
    """A chat that came without a ticket: stays without, goes under the contact's open ticket (a new one if there is
    none), or always gets a new one. An outbound chat that nobody answers gets none."""
    transcripts: bool = True
    """Whether the transcript is posted to the ticket when the chat ends."""
    timeout: Seconds = 10.0
    """How long an answer is waited for, connecting included."""
    plain_http: bool = False
    """Whether the CRM may be asked without TLS though it is on another machine."""

    def __repr__(self) -> str:
        return f"{type(self).__module__}.Config()"


def check_address(address: str, *, plain_http: bool) -> None:
    """Raises ValueError unless requests with secrets and phone numbers may go to this address."""
    url = urlsplit(address)
    host = url.hostname or ""
    if url.scheme not in ("http", "https") or not host or re.search(r"\s|#", address):
        raise ValueError(f'"{address[:80]}" is no address: write it as https://crm.example.com')
    if url.username is not None or url.password is not None:
        raise ValueError(
            "the address holds a user or a password: take them out, and give them as settings of their own"
        )
    if url.scheme == "http" and not plain_http and not _is_loopback(host):
        raise ValueError("the address must begin with https://, or else set plain_http: true")


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a CRM."""

    method: str
    url: str = field(repr=False)
    """As it goes on the wire: what must be escaped is."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer of a CRM's that says yes, or that there is no such thing (404)."""

    status: int
    body: bytes = field(repr=False)

    def read(self, kind: type[T]) -> T:
        """The JSON of the answer; raises Unavailable where it is not what the CRM's documentation promises."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except _UNREADABLE:
            raise Unavailable(f"the CRM answered {self.status} with what is none of its own answers") from None


def open_session() -> aiohttp.ClientSession:
    """A session for any number of CRMs, that keeps no cookie; it must be closed."""
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_writing)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
        # A packed answer could unfold to any size.
        headers={"User-Agent": "smsdesk", "Accept": "application/json", "Accept-Encoding": "identity"},
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[trace],
    )


@dataclass(slots=True)
class _Mark:
    written: bool = False


async def _note_writing(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    """Called by aiohttp right before it writes the headers."""
    mark: _Mark = context.trace_request_ctx
    if mark.written:
        # aiohttp repeats a PUT whose connection died: a comment would be posted twice.
        raise aiohttp.ServerDisconnectedError
    mark.written = True


@dataclass(frozen=True, slots=True)
class Http:
    """The way to a CRM during one visit."""

    session: aiohttp.ClientSession
    timeout: float
    """Seconds for each answer."""
    latest: float
    """When, in seconds of the monotonic clock, others may take the job: no request begins after it."""

    async def call(self, request: HttpRequest, now: datetime) -> HttpAnswer:
        """Sends a request and reads its answer, following no redirect. Raises Unavailable or Refused."""
        if time.monotonic() > self.latest:
            raise Unavailable("this process stood still")
        try:
            async with self.session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
                trace_request_ctx=_Mark(),
            ) as answer:
                body = bytearray()
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise Unavailable(f"the CRM's answer has more than {LARGEST_ANSWER:,} octets")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(f"the CRM cannot be reached: {_describe(error)}") from None
        _judge(answer.status, answer.headers, bytes(body), now)
        return HttpAnswer(answer.status, bytes(body))


def _judge(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raises what an answer means that is neither a yes nor a 404 (RFC 9110 section 15)."""
    if 200 <= status < 300 or status == 404:
        return
    code, words = _said(body)
    if status in (408, 409, 425, 429) or status >= 500:
        raise Unavailable(f"the CRM answered {status}{words}", _retry_after(headers, now))
    if status == 401:
        # Of the account and not of the job: all go on once somebody has mended it.
        raise Unavailable("the CRM does not take our credentials (401): check them in the set-up file")
    if 300 <= status < 400:
        raise Refused(f"the CRM answered with a redirect ({status}): set the address that it leads to")
    raise Refused(f"the CRM refused it ({status}){words}", code)


def _said(body: bytes) -> tuple[str, str]:
    """What the CRM calls the error, and what it says of it, where it does so in one of the usual ways: Zendesk has
    `error` (a word, or an object with a title and a message), `description` and `details`, others `message`."""
    try:
        said = msgspec.json.decode(body)
    except _UNREADABLE:
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    error = said.get("error")
    sentences = [each for name in ("error", "description", "message", "details") for each in _sentences(said.get(name))]
    words = " ".join(" ".join(sentences).split())[:_LONGEST_WORDS]
    return error if isinstance(error, str) else "", f": {words}" if words else ""


def _sentences(said: object, depth: int = 4) -> Iterator[str]:
    """The texts inside a value."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list) and depth:
        for each in said.values() if isinstance(said, dict) else said:
            yield from _sentences(each, depth - 1)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds of the header Retry-After (RFC 9110 section 10.2.3), a number or a date; 0.0 where it has none."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_RETRY_AFTER)
    with suppress(ValueError):
        at = parsedate_to_datetime(value)
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
        return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
    return 0.0


def _describe(error: Exception) -> str:
    """A failure in words without any address or secret: a library's own words may hold both."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS: {cause.reason}"
    if isinstance(cause, OSError) and cause.errno:
        return (os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)).lower()
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed without an answer"
    return "an answer that cannot be read"


def is_page(address: str) -> bool:
    """Whether an address that a CRM gave may be shown as a link."""
    return _PAGE.fullmatch(address) is not None
