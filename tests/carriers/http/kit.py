"""For tests of HTTP carriers: a vendor that answers as a test says, tables of what goes out and comes in, a line."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import structlog
from aiohttp import web

from smsdesk.carriers.contract import (
    Callback,
    CallbackRequest,
    Carrier,
    Forged,
    OutboundText,
    Outcome,
    Pace,
    Receipt,
    Reply,
    Unpaced,
    Unreadable,
)  # fmt: skip
from smsdesk.carriers.http import HttpConfig
from smsdesk.carriers.registry import CARRIERS
from smsdesk.domain.segments import segment
from smsdesk.setup.secrets import is_secret
from tests.carriers.smpp.rig import Ledger

OURS, PHONE = "+16285550199", "+14155550100"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VALID_UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
SECRET = "hush-hush"
"""What every secret setting is in these tests: it must never be seen in a log or a repr."""

HTTP_TYPES = sorted(name for name, kind in CARRIERS.items() if issubclass(kind.Config, HttpConfig))
SETTINGS: dict[str, dict[str, Any]] = {
    "generic": {"fields": {"to": "{destination}", "text": "{body}"}, "answers": {"message_id": "id"}},
}
"""What a type of carrier needs beside a word in each required field."""


def outbound(text_id: int = 7, body: str = "hello", source: str = OURS, destination: str = PHONE) -> OutboundText:
    return OutboundText(1, text_id, 1, source, destination, segment(body), VALID_UNTIL)


def settings(kind: str, **more: Any) -> Any:
    """The Config of a carrier type; each required field that is not given has a word in it."""
    given: dict[str, Any] = {"base_url": "http://127.0.0.1:9", **SETTINGS.get(kind, {}), **more}
    for one in msgspec.structs.fields(CARRIERS[kind].Config):
        if one.required and one.name not in given:
            given[one.name] = SECRET if is_secret(one.name) else "sample"
    return msgspec.convert(given, CARRIERS[kind].Config)


@dataclass(frozen=True)
class Answer:
    """What the vendor says to a request."""

    status: int = 200
    body: Any = b""
    """Octets, text, or what is written as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else msgspec.json.encode(self.body)


HANG, RESET, CLOSE, NOISE = Answer(0), Answer(1), Answer(2), Answer(3)
"""No answer before `release`; the connection is reset, or closed, after the request; octets that are no HTTP."""


@dataclass(frozen=True)
class Asked:
    """One request as the vendor got it."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class VendorServer:
    """A vendor on this machine: keeps what it is asked, says what stands next in `answers`, and the last for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = [Answer()]
        self.base_url = ""
        self.changed = asyncio.Event()
        self.release = asyncio.Event()
        """Set, what hangs gets the next answer."""

    def _next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = tuple(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        self.asked.append(Asked(request.method, request.path, query, headers, await request.read()))
        answer = self._next()
        self.changed.set()
        if answer is HANG:
            await self.release.wait()
            answer = self._next()
        transport = request.transport
        assert transport is not None
        if answer is NOISE:
            transport.write(b"\x00\x01 no HTTP at all\r\n\r\n")
        if answer.status < 100:
            transport.close() if answer in (CLOSE, NOISE) else transport.abort()
            raise web.HTTPServiceUnavailable
        return web.Response(status=answer.status, body=answer.octets, headers=answer.headers)

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._protocols = web.Server(self._handle, access_log=None)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocols, "127.0.0.1", port, ssl=tls)
        port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    async def stop(self) -> None:
        self.release.set()
        self._server.close()
        await self._protocols.shutdown(0.1)
        await self._server.wait_closed()

    async def until_asked(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.asked) < count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def vendor_server(
    *answers: Answer, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[VendorServer]:
    vendor = VendorServer()
    vendor.answers = list(answers) or vendor.answers
    await vendor.start(port, tls)
    try:
        yield vendor
    finally:
        await vendor.stop()


@dataclass(frozen=True)
class Outgoing:
    """A text, what the vendor answers, what it must have been asked, and what became of the text."""

    name: str
    text: OutboundText
    answer: Answer
    outcome: Outcome
    method: str = "POST"
    path: str = ""
    """What follows the base address; empty: not looked at."""
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that must be there, among others."""
    form: Mapping[str, str] | None = None
    json: Any = None
    """The body as a whole; None: not looked at."""


@dataclass(frozen=True)
class Incoming:
    """A callback, and the facts that it tells or the refusal that it must meet."""

    name: str
    request: CallbackRequest
    facts: tuple[Receipt | Reply, ...] | type[Forged] | type[Unreadable]


async def check_outgoing(kind: str, case: Outgoing, **more: Any) -> None:
    """Sends the text over a line of this type to a vendor that answers so."""
    async with vendor_server(case.answer) as vendor, line(kind, vendor.base_url, **more) as running:
        running.carrier.send([case.text])
        assert await running.ledger.outcome_of(case.text.text_id) == case.outcome
        (asked,) = vendor.asked
    assert (asked.method, case.path or asked.path) == (case.method, asked.path)
    assert {name: asked.headers.get(name.lower()) for name in case.headers} == dict(case.headers)
    if case.query is not None:
        assert dict(asked.query) == dict(case.query)
    if case.form is not None:
        assert asked.form == dict(case.form)
    if case.json is not None:
        assert asked.json == case.json


def check_incoming(kind: str, config: HttpConfig, case: Incoming, now: datetime = NOW) -> Callback | None:
    """Reads the callback; gives its answer where it is one."""
    read = CARRIERS[kind].callback
    assert read is not None
    if isinstance(case.facts, type):
        with contextlib.suppress(case.facts):
            said = read(config, case.request, now)
            raise AssertionError(f"{case.name}: {said.facts} where {case.facts.__name__} should have come")
        return None
    callback = read(config, case.request, now)
    assert callback.facts == case.facts
    return callback


class Line:
    """A carrier at work, its sink and what it logged."""

    def __init__(self, kind: str, config: HttpConfig, **around: Any) -> None:
        self.ledger = Ledger()
        self.logged: list[str] = []
        level = structlog.make_filtering_bound_logger(0)
        log = structlog.wrap_logger(structlog.PrintLogger(), processors=[self._keep], wrapper_class=level)
        self.carrier: Carrier = CARRIERS[kind].make(1, "upstream", config, **{"log": log, **around})
        self.task = asyncio.ensure_future(self.carrier.run(self.ledger))

    def _keep(self, _: object, __: str, entry: structlog.typing.EventDict) -> str:
        self.logged.append(str(entry))
        return str(entry)

    async def stop(self) -> None:
        """Ends at once: the second cancelling cuts the drain of the first short."""
        self.task.cancel()
        for _ in range(5):  # turns of the loop until the first is noticed
            await asyncio.sleep(0)
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.task, 10)


@asynccontextmanager
async def line(
    kind: str, base_url: str, *, up: bool = True, pace: Pace | None = None, **more: Any
) -> AsyncIterator[Line]:
    """A line of this type that is quick to come back; what it logged is searched for secrets at the end."""
    quick = {"reconnect_first": 0.01, "reconnect_longest": 0.05, "throttle_first": 0.05, "throttle_longest": 0.2}
    config = settings(kind, base_url=base_url, **(quick | more))
    running = Line(kind, config, pace=pace or Unpaced())
    try:
        if up:
            await running.ledger.until(running.carrier.up)
        yield running
    finally:
        await running.stop()
    for secret in (SECRET, OURS[1:], PHONE[1:], "hello"):
        assert all(secret not in entry for entry in [*running.logged, repr(config)])
