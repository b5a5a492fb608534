"""/callbacks/{subdomain}/{carrier}[/{rest}]: what carriers post to us.

Below the framework, for a proof is over the very octets of the request. There is no password of ours: each carrier
proves itself in its vendor's own way.
"""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec
import structlog
from litestar.types import HTTPScope, Receive, Send

from smsdesk.api.facts import CallbackFacts
from smsdesk.api.http import BodyTooLarge, ClientGone, Headers, read_body
from smsdesk.api.problems import refusal
from smsdesk.api.services import Services
from smsdesk.carriers.contract import Callback, CallbackRequest, Forged, Unreadable
from smsdesk.carriers.registry import CARRIERS
from smsdesk.setup.secrets import SecretMissing, resolve_all
from smsdesk.store.carriers import CarrierSetup
from smsdesk.store.db import TRY_AGAIN
from smsdesk.store.groups import AWAY

PREFIX = "/callbacks/"
METHODS = ("GET", "POST")
MOST_BODY = 256 * 1024
"""Bytes."""
BODY_WITHIN = 10.0
"""Seconds that a sender has for its body."""
MOST_WAITING = 1_000
"""Callbacks in this process that may wait for their body or their commit; more are turned away at once with 503."""
CONFIG_KEPT = timedelta(seconds=1)
"""How long a secret that was read is used before it is looked up again: a new one counts without a restart."""
LOG_EVERY = timedelta(minutes=1)

JSON = (b"content-type", b"application/json")
Answer = tuple[int, bytes, Headers]
log = structlog.get_logger()


class BodyTooSlow(Exception):
    """The body did not come within BODY_WITHIN."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A carrier's settings with the secrets of this machine, as they were at a moment."""

    setup: CarrierSetup
    config: Any
    at: datetime


class CallbackEndpoint:
    """The callbacks as an ASGI application. It says 2xx when every fact is on disk, and not before."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._facts = CallbackFacts(services)
        self._known: dict[tuple[int, int], _Known] = {}
        self._tally = Tally(services.clock)
        self._waiting = 0

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._waiting += 1
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            return
        except BodyTooLarge:
            answer = *refusal("body_too_large"), (JSON, (b"connection", b"close"))
        except BodyTooSlow:
            answer = 408, _message("the request body did not come in time"), (JSON, (b"connection", b"close"))
        except Exception as error:  # noqa: BLE001 - the edge of a request
            answer = _failed(error)
        finally:
            self._waiting -= 1
        await _respond(send, answer)

    async def _answer(self, scope: HTTPScope, receive: Receive) -> Answer:
        if scope["method"] not in METHODS:
            return *refusal("method_not_allowed"), (JSON, (b"allow", ", ".join(METHODS).encode()))
        subdomain, carrier, rest = _place(scope["raw_path"])
        setup = self._services.directory.carriers.get(subdomain, {}).get(carrier)
        kind = CARRIERS.get(setup.type) if setup else None
        # The same words, and as soon, whichever of these it is.
        if setup is None or kind is None or kind.callback is None:
            return *refusal("not_found"), (JSON,)
        if self._waiting > MOST_WAITING:
            return *refusal("overloaded"), (JSON, (b"retry-after", b"1"))
        try:
            read = partial(kind.callback, self._config(setup, kind.Config))
        except (SecretMissing, msgspec.ValidationError) as error:
            self._tally.add(setup, "callback not taken: the line's set-up cannot be used", str(error), logging.ERROR)
            return 503, _message("this carrier's callbacks cannot be checked now"), (JSON, (b"retry-after", b"60"))
        query = scope["query_string"].decode("latin-1")
        request = CallbackRequest(scope["method"], rest, query, _headers(scope), await _body(receive))
        return await self._take(setup, request, read)

    async def _take(
        self, setup: CarrierSetup, request: CallbackRequest, read: Callable[[CallbackRequest, datetime], Callback]
    ) -> Answer:
        try:
            said = read(request, self._services.clock())
        except Forged as error:
            self._tally.add(setup, "callback refused", str(error))
            return 403, _message(str(error)), (JSON,)
        except RecursionError:
            return 400, _message("the request body nests too deep"), (JSON,)
        except Unreadable as error:
            self._tally.add(setup, "callback not understood", str(error))
            await self._facts.keep(setup, request, str(error))
            return 400, _message(str(error)), (JSON,)
        await self._facts.write(setup, said.facts)
        return said.status, said.body, ((b"content-type", said.content_type.encode()),) if said.content_type else ()

    def _config(self, setup: CarrierSetup, kind: type[msgspec.Struct]) -> Any:
        """The carrier's settings with its secrets. Raises SecretMissing or ValidationError."""
        key, now = (setup.tenant_id, setup.carrier_id), self._services.clock()
        known = self._known.get(key)
        if known is None or known.setup is not setup or abs(now - known.at) >= CONFIG_KEPT:
            config = msgspec.convert(resolve_all(setup.config, self._services.environ), kind)
            known = self._known[key] = _Known(setup, config, now)
        return known.config


class Tally:
    """Counts what is turned away, and logs it: at once, then at most once in LOG_EVERY for each carrier and cause, with
    the count since the process began. A flood of forgeries fills no disk."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._counts: Counter[tuple[int, int, str]] = Counter()
        self._logged: dict[tuple[int, int, str], datetime] = {}

    def add(self, setup: CarrierSetup, event: str, why: str, level: int = logging.WARNING) -> None:
        """Counts one more of this event. `why` is of the latest, and holds no text and no number."""
        key, now = (setup.tenant_id, setup.carrier_id, event), self._clock()
        self._counts[key] += 1
        if key not in self._logged or now - self._logged[key] >= LOG_EVERY:
            self._logged[key] = now
            log.log(level, event, tenant_id=setup.tenant_id, carrier=setup.name, why=why, count=self._counts[key])


def _failed(error: Exception) -> Answer:
    # The driver's word for an argument that it cannot encode is among AWAY, and a ValueError as well.
    if isinstance(error, (*AWAY, *TRY_AGAIN)) and not isinstance(error, ValueError):
        log.warning("callback not taken: database away", error=type(error).__name__)
        return *refusal("overloaded"), (JSON, (b"retry-after", b"1"))
    # Without the error's own words, which may quote a text or a number.
    log.error("callback failed", error=type(error).__name__, where=traceback.format_tb(error.__traceback__))
    return *refusal("internal_error"), (JSON,)


def _place(raw_path: bytes) -> tuple[str, str, str]:
    """Subdomain, carrier and rest of a path. The rest stays as it came, for it may be part of what was signed."""
    parts = raw_path.decode("latin-1").split("/", 4)[2:]
    subdomain, carrier, rest = (*parts, "", "", "")[:3]
    return unquote(subdomain), unquote(carrier), rest


def _headers(scope: HTTPScope) -> dict[str, str]:
    """The headers by lower-case name; those that come more than once are joined (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _body(receive: Receive) -> bytes:
    try:
        async with asyncio.timeout(BODY_WITHIN):
            return await read_body(receive, MOST_BODY)
    except TimeoutError:
        raise BodyTooSlow from None


def _message(words: str) -> bytes:
    return msgspec.json.encode({"message": words})


async def _respond(send: Send, answer: Answer) -> None:
    status, body, headers = answer
    if status != 204:  # which must not have one: RFC 9110, section 8.6
        headers = (*headers, (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
