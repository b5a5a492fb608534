"""Idempotency-Key for every write of the API but sends, which have their own below the framework.

What a request writes, its key and its answer are one transaction: all of it is on disk, or nothing. The same key and
request get the stored answer again, byte for byte; of any number that come at one moment, one is done and the others
get its answer. A request that is refused leaves no key behind.
"""

import hashlib
import math
from dataclasses import dataclass, field

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from smsdesk.api.admission import NotKnown, TooOften, admit
from smsdesk.api.auth import CHALLENGE
from smsdesk.api.http import ClientGone, Headers, header
from smsdesk.api.problems import answer, refusal
from smsdesk.api.services import Services
from smsdesk.errors import Problem
from smsdesk.store.api_keys import KeptAnswer, claim_key, find_answer, store_answer
from smsdesk.store.db import TRY_AGAIN, Connection
from smsdesk.store.groups import AWAY

PREFIX = "/apps/api/v1/"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LONGEST_KEY = 255

JSON = (b"content-type", b"application/json")
REPLAYED = (b"idempotent-replayed", b"true")
log = structlog.get_logger()


class KeyedWrites:
    """The API with the promise of the key around it."""

    def __init__(self, services: Services, app: ASGIApp) -> None:
        self._services = services
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = header(scope, b"idempotency-key") if _is_write(scope) else None
        if raw is None or scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        try:
            status, body, headers = await self._answer(scope, receive, raw)
        except ClientGone:
            return
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: HTTPScope, receive: Receive, raw: bytes) -> tuple[int, bytes, Headers]:
        try:
            return await self._once(scope, _Body(scope, receive), read_key(raw))
        except NotKnown:
            return *refusal("unauthorized"), (JSON, CHALLENGE)
        except TooOften as error:
            return *refusal("rate_limited"), (JSON, (b"retry-after", str(math.ceil(error.wait)).encode()))
        except Problem as problem:
            return *answer(problem), (JSON,)
        except (*AWAY, *TRY_AGAIN) as error:
            log.warning("write not done: database away", error=type(error).__name__)
            return *refusal("overloaded"), (JSON, (b"retry-after", b"1"))

    async def _once(self, scope: HTTPScope, body: "_Body", key: str) -> tuple[int, bytes, Headers]:
        """The answer of the one request that this key is for."""
        tenant_id = admit(self._services, scope).tenant.tenant_id
        stored = await self._stored(tenant_id, key)
        if stored is None:
            done = await self._run(scope, body, tenant_id, key)
            if done is not None:
                self._services.wake(tenant_id)  # what the handler queued is to be seen only now
                return done.status, done.body, tuple(done.headers)
            stored = await self._stored(tenant_id, key)
        if stored is None:  # its month ended between the two looks
            raise Problem("overloaded")
        request_sha256, kept = stored
        if request_sha256 != await body.digest():
            raise Problem("idempotency_mismatch", "Idempotency-Key was used with another request")
        return kept.status, kept.body, ((b"content-type", kept.content_type.encode()), REPLAYED)

    async def _run(self, scope: HTTPScope, body: "_Body", tenant_id: int, key: str) -> "_Captured | None":
        """Does the request, with its key and its answer; None where another request has the key."""
        taken = False

        async def first(conn: Connection) -> None:
            nonlocal taken
            if not await claim_key(conn, tenant_id, key, await body.digest(), self._services.clock()):
                taken = True
                raise Problem("idempotency_mismatch")

        done = _Captured()
        try:
            async with self._services.db.as_one(first):
                await self._app(scope, body.receive, done.send)
                if taken or done.status >= 400:
                    raise _Refused
                async with self._services.db.transaction() as conn:
                    await store_answer(conn, tenant_id, key, KeptAnswer(done.status, done.content_type, done.body))
        except _Refused:
            pass
        except Problem:
            if not taken:
                raise
        return None if taken else done

    async def _stored(self, tenant_id: int, key: str) -> tuple[bytes, KeptAnswer] | None:
        async with self._services.db.connection() as conn:
            return await find_answer(conn, tenant_id, key)


def _is_write(scope: Scope) -> bool:
    return scope["type"] == ScopeType.HTTP and scope["method"] in WRITES and scope["path"].startswith(PREFIX)


def read_key(raw: bytes) -> str:
    """The key in the header's value; raises Problem where it can be none."""
    key = raw.decode("latin-1").strip()
    if not 1 <= len(key) <= LONGEST_KEY or "\0" in key:
        raise Problem("idempotency_key_invalid")
    return key


class _Refused(Exception):
    """The request was refused: what it wrote before is taken back."""


class _Body:
    """A request's body on its way to the handler, counted into the digest of the whole request as it passes."""

    def __init__(self, scope: HTTPScope, receive: Receive) -> None:
        self._receive = receive
        self._whole = False
        line = (scope["method"].encode(), scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"])
        self._sha256 = hashlib.sha256(b"\n".join((*line, b"")))

    async def receive(self) -> HTTPReceiveMessage:
        event = await self._receive()
        if event["type"] == "http.request":
            self._sha256.update(event["body"])
            self._whole = not event["more_body"]
        return event  # type: ignore[return-value]  # this is HTTP

    async def digest(self) -> bytes:
        """The same for the same request. What the handler has not read passes by; raises ClientGone where it ends."""
        while not self._whole:
            if (await self.receive())["type"] != "http.request":
                raise ClientGone
        return self._sha256.digest()


@dataclass(slots=True)
class _Captured:
    """An answer that is not sent before it is on disk."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def send(self, event: Message) -> None:
        if event["type"] == "http.response.start":
            self.status, self.headers = event["status"], list(event["headers"])
        elif event["type"] == "http.response.body":
            self.body += event["body"]

    @property
    def content_type(self) -> str:
        return next((value.decode() for name, value in self.headers if name == b"content-type"), "application/json")
