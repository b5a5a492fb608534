"""POST /apps/api/v1/sms: the seed's endpoint. Below the framework, because every microsecond here is paid by each
send (docs/adr/0005-hot-route.md)."""

import asyncio
import hashlib
import math
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec
import structlog
from litestar.types import HTTPScope, Receive, Send

from smsdesk.actions.send_message import Outcome
from smsdesk.api.auth import CHALLENGE, Callers
from smsdesk.api.http import Answer, BodyTooLarge, ClientGone, Request, first_of_each, read_body, respond
from smsdesk.api.keys import read_key
from smsdesk.api.overload import LONGEST
from smsdesk.api.problems import answer, refusal
from smsdesk.api.services import Services
from smsdesk.api.serving import Done
from smsdesk.api.v1.explanation import explain
from smsdesk.domain.send import check_send
from smsdesk.domain.tenant import Credential, Tenant
from smsdesk.errors import Problem
from smsdesk.store.groups import AWAY
from smsdesk.store.sends import WantedSend

PATH = "/apps/api/v1/sms"
JSON = b"application/json"
_, BUSY = refusal("overloaded")
AWAY_FOR: list[Answer] = [(503, BUSY, ((b"retry-after", b"%d" % each),)) for each in range(math.ceil(LONGEST) + 1)]
"""Who is turned away for so many seconds is told so."""
_decoder = msgspec.json.Decoder()
log = structlog.get_logger()


class Refused(Exception):
    """A request that is answered before anybody looks at what it asks for."""

    def __init__(self, reason: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(reason)
        self.answer: Answer = (*refusal(reason), headers)


class _Asked(NamedTuple):
    """A request that was read: whose it is and what its body says."""

    tenant: Tenant
    credential: Credential
    fields: Mapping[str, object]
    key: str | None


class SmsEndpoint:
    """The route, as one call and as an ASGI application. Anything at all that is sent to it gets an answer of 200, 4xx
    or 503."""

    path = PATH.encode()

    def __init__(self, services: Services) -> None:
        self._services = services
        self._directory = services.directory
        self._send_message = services.send_message
        self._overload = services.overload
        self._callers = Callers(services.domain)
        self._tasks: set[asyncio.Task[Outcome]] = set()

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        try:
            if scope["method"] != "POST":
                raise Refused("method_not_allowed", (b"allow", b"POST"))
            if away := self.refuse():
                await respond(send, *away)
                return
            self.take(
                Request(first_of_each(list(scope["headers"])), scope["query_string"], await read_body(receive)),
                lambda it: answered.set_result(it) if not answered.done() else None,
            )
            await respond(send, *await answered)
        except ClientGone:
            return
        except BodyTooLarge:
            await respond(send, *refusal("body_too_large"), ((b"connection", b"close"),))
        except Refused as refused:
            await respond(send, *refused.answer)

    def refuse(self, in_line: int = 0) -> Answer | None:
        """Where there is no room for one more: when to come again. Nothing has been read then."""
        return AWAY_FOR[math.ceil(self._overload.turn_away())] if self._overload.is_full(in_line) else None

    def take(self, request: Request, done: Done) -> None:
        """Calls `done` with the answer, once the send is on disk or refused; never raises."""
        try:
            asked = self._read(request)
            if request.query and _dry_run(request.query):
                going, wakes = self._apart(self._explain(asked)), None
            else:
                going, wakes = self._begin(asked), asked.tenant.tenant_id
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            done(_refused(error))
            return
        self._overload.began()
        going.add_done_callback(partial(self._finish, done, wakes))

    def _finish(self, done: Done, wakes: int | None, going: "asyncio.Future[Outcome]") -> None:
        self._overload.ended()
        try:
            outcome = going.result()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - as in take
            done(_refused(error))
            return
        if isinstance(outcome, bytes):
            if wakes is not None:
                self._services.wake(wakes)
            done((200, outcome, ()))
        else:
            done(_refused(outcome))

    def _read(self, request: Request) -> _Asked:
        headers = request.headers
        who = self._callers.find(self._directory.tenants, headers.get(b"authorization"), headers.get(b"host", b""))
        if who is None:
            raise Refused("unauthorized", CHALLENGE)
        tenant, credential = who
        wait = self._services.limiter.wait(credential.credential_id, tenant.settings.requests_per_second)
        if wait:
            raise Refused("rate_limited", (b"retry-after", str(math.ceil(wait)).encode()))
        media_type = headers.get(b"content-type", JSON)
        if media_type != JSON and media_type.partition(b";")[0].strip().lower() != JSON:
            raise Refused("wrong_media_type")
        key = headers.get(b"idempotency-key")
        return _Asked(tenant, credential, _fields(request.body), None if key is None else read_key(key))

    def _begin(self, asked: _Asked) -> "asyncio.Future[Outcome]":
        tenant, credential_id = asked.tenant, asked.credential.credential_id
        if asked.key is None:
            return self._send_message.submit(tenant, WantedSend(check_send(asked.fields, tenant), credential_id))
        digest = _digest(asked.fields)
        try:
            send = check_send(asked.fields, tenant)
        except Problem as problem:
            return self._apart(self._stored(asked, asked.key, digest, problem))
        return self._send_message.submit(tenant, WantedSend(send, credential_id, asked.key, digest))

    async def _stored(self, asked: _Asked, key: str, digest: bytes, problem: Problem) -> bytes | Problem:
        """What was accepted under this key stays accepted, whatever the tenant has switched off since."""
        stored = await self._send_message.stored_answer(asked.tenant, key, digest)
        return problem if stored is None else stored

    async def _explain(self, asked: _Asked) -> bytes:
        key = (asked.key, _digest(asked.fields)) if asked.key is not None else None
        return await explain(self._send_message, asked.tenant, asked.fields, key)

    def _apart(self, work: Coroutine[None, None, bytes | Problem]) -> "asyncio.Future[Outcome]":
        task: asyncio.Task[Outcome] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _refused(error: BaseException) -> Answer:
    """The answer to a request that came to nothing."""
    if isinstance(error, Refused):
        return error.answer
    if isinstance(error, Problem):
        return *answer(error), ()
    if isinstance(error, AWAY):
        log.warning("send not accepted: database away", error=type(error).__name__)
        return *refusal("overloaded"), ((b"retry-after", b"1"),)
    if isinstance(error, asyncio.CancelledError):  # the process ends, and gives up what it could not finish
        return *refusal("overloaded"), ((b"retry-after", b"1"),)
    log.error("send failed", exc_info=error)
    return *refusal("internal_error"), ()


def _fields(body: bytes) -> Mapping[str, object]:
    try:
        fields = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Problem("body_not_object")
    return fields


def _digest(fields: Mapping[str, object]) -> bytes:
    """The same for the same body, however it was written."""
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).digest()


def _dry_run(query: bytes) -> bool:
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("dry_run")
    if values is None:
        return False
    if values[-1].lower() in {"true", "1", "yes"}:
        return True
    if values[-1].lower() in {"false", "0", "no"}:
        return False
    raise Problem("parameter_invalid", "dry_run must be true or false")
