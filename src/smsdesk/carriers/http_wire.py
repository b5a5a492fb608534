"""One HTTP request and its one answer: whether an octet of it was written, what came back, what a failure is called."""

import asyncio
import math
import os
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp
from yarl import URL

from smsdesk.carriers.contract import Doubtful, Outcome, Refused
from smsdesk.carriers.http import HttpAnswer, HttpConfig, HttpRequest

LARGEST_ANSWER = 1_000_000
"""Octets of a body; a vendor's answers have a few thousand."""
_KEEP_ALIVE = 4.0
"""Seconds. Servers commonly close an idle connection after 5 or more: a request that meets the closing is doubtful."""
_CREDENTIALS_AGAIN = 60.0

FAILURES = (aiohttp.ClientError, OSError, ValueError)
"""How a request ends without an answer that can be read."""


@dataclass(slots=True)
class Mark:
    """What is known of a request while it runs."""

    written: bool = False
    """Whether an octet of it may have been handed to the network."""
    latest: float = math.inf
    """When, in seconds of the monotonic clock, it is too late to begin."""


def open_session(config: HttpConfig) -> aiohttp.ClientSession:
    """A session that follows no redirect and keeps no cookie; it must be closed."""
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_writing)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
        timeout=aiohttp.ClientTimeout(total=config.connect_timeout + config.timeout, connect=config.connect_timeout),
        # A packed answer could unfold to any size.
        headers={"User-Agent": "smsdesk", "Accept-Encoding": "identity"},
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[trace],
    )


async def _note_writing(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    """Called by aiohttp right before it writes the headers."""
    mark: Mark = context.trace_request_ctx
    if mark.written:
        # aiohttp repeats a GET whose connection died: over one that sends texts, this one would go twice.
        raise aiohttp.ServerDisconnectedError
    if time.monotonic() > mark.latest:
        raise aiohttp.ServerTimeoutError("no connection in time")
    mark.written = True


async def call(session: aiohttp.ClientSession, request: HttpRequest, mark: Mark) -> HttpAnswer:
    """Sends a request and reads its answer. Raises one of FAILURES; `mark` then says how far it came."""
    async with session.request(
        request.method,
        URL(request.url, encoded=True),
        headers=request.headers,
        data=request.body or None,
        allow_redirects=False,
        trace_request_ctx=mark,
    ) as answer:
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise ValueError(f"an answer of more than {LARGEST_ANSWER} octets")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status, headers, bytes(body))


async def probe(config: HttpConfig) -> str:
    """Connects to the vendor and closes again: gives what went wrong, or an empty string."""
    url = URL(config.base_url)
    secure = url.scheme == "https"
    try:
        async with asyncio.timeout(config.connect_timeout):
            _, writer = await asyncio.open_connection(url.host, url.port, ssl=secure or None)
    except (OSError, ValueError) as error:
        return describe(error)
    writer.transport.abort()
    return ""


def judge_status(answer: HttpAnswer) -> Outcome:
    """What an answer means that is not in the vendor's own words, by its status alone (RFC 9110 section 15)."""
    code = f"http {answer.status}"
    if answer.status in (429, 503):
        return Refused("queue_full", code)
    if answer.status in (401, 403):
        return Refused("carrier_error", code, _CREDENTIALS_AGAIN)
    if 400 <= answer.status < 500 and answer.status != 408:
        return Refused("unknown_error", code)
    return Doubtful(f"an answer that cannot be read: {code}")


def retry_after(answer: HttpAnswer, now: datetime) -> float:
    """Seconds of the header Retry-After (RFC 9110 section 10.2.3), a number or a date; 0.0 where it has none."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    with suppress(ValueError):
        at = parsedate_to_datetime(value)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    return 0.0


def describe(error: Exception) -> str:
    """A failure in words without any address, number or secret: a library's own words may hold all three."""
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
