"""POST /apps/api/v1/sms: the seed's endpoint. Below the framework, because every microsecond here is paid by each
send (docs/adr/0005-hot-route.md)."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

import msgspec
import structlog
from litestar.types import HTTPScope, Receive, Send

from smsdesk.api.auth import CHALLENGE, authenticate
from smsdesk.api.http import BodyTooLarge, ClientGone, Headers, header, read_body, respond
from smsdesk.api.keys import read_key
from smsdesk.api.problems import answer, refusal
from smsdesk.api.services import Services
from smsdesk.api.v1.explanation import explain
from smsdesk.domain.send import check_send
from smsdesk.domain.tenant import Credential, Tenant
from smsdesk.errors import Problem
from smsdesk.store.groups import AWAY
from smsdesk.store.sends import WantedSend

PATH = "/apps/api/v1/sms"
MOST_WAITING = 5_000
"""Requests in this process that may wait for their commit; more are turned away at once with 503."""

Answer = tuple[int, bytes, Headers]
_decoder = msgspec.json.Decoder()
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that was read: whose it is and what its body says."""

    tenant: Tenant
    credential: Credential
    fields: Mapping[str, object]
    key: str | None


class SmsEndpoint:
    """The route as an ASGI application. Anything at all that is sent to it gets an answer of 200, 4xx or 503."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._directory = services.directory
        self._send_message = services.send_message
        self._waiting = 0

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._waiting += 1
        try:
            status, body, headers = await self._answer(scope, receive)
        except ClientGone:
            return
        except Problem as problem:
            (status, body), headers = answer(problem), ()
        except BodyTooLarge:
            (status, body), headers = refusal("body_too_large"), ((b"connection", b"close"),)
        except AWAY as error:
            log.warning("send not accepted: database away", error=type(error).__name__)
            (status, body), headers = refusal("overloaded"), ((b"retry-after", b"1"),)
        except Exception:
            log.exception("send failed")
            (status, body), headers = refusal("internal_error"), ()
        finally:
            self._waiting -= 1
        await respond(send, status, body, headers)

    async def _answer(self, scope: HTTPScope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            return *refusal("method_not_allowed"), ((b"allow", b"POST"),)
        who = authenticate(
            self._directory.tenants,
            header(scope, b"authorization"),
            header(scope, b"host") or b"",
            self._services.domain,
        )
        if who is None:
            return *refusal("unauthorized"), (CHALLENGE,)
        tenant, credential = who
        wait = self._services.limiter.wait(credential.credential_id, tenant.settings.requests_per_second)
        if wait:
            return *refusal("rate_limited"), ((b"retry-after", str(math.ceil(wait)).encode()),)
        if self._waiting > MOST_WAITING:
            return *refusal("overloaded"), ((b"retry-after", b"1"),)
        media_type = header(scope, b"content-type")
        if media_type is not None and media_type.partition(b";")[0].strip().lower() != b"application/json":
            return *refusal("wrong_media_type"), ()
        asked = _Asked(tenant, credential, _fields(await read_body(receive)), _key(scope))
        if scope["query_string"] and _dry_run(scope["query_string"]):
            key = (asked.key, _digest(asked.fields)) if asked.key is not None else None
            return 200, await explain(self._send_message, tenant, asked.fields, key), ()
        body = await self._send(asked)
        self._services.wake(tenant.tenant_id)
        return 200, body, ()

    async def _send(self, asked: _Asked) -> bytes:
        if asked.key is None:
            send = check_send(asked.fields, asked.tenant)
            return await self._send_message(asked.tenant, WantedSend(send, asked.credential.credential_id))
        digest = _digest(asked.fields)
        try:
            send = check_send(asked.fields, asked.tenant)
        except Problem:
            # What was accepted under this key stays accepted, whatever the tenant has switched off since.
            stored = await self._send_message.stored_answer(asked.tenant, asked.key, digest)
            if stored is None:
                raise
            return stored
        return await self._send_message(
            asked.tenant, WantedSend(send, asked.credential.credential_id, asked.key, digest)
        )


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


def _key(scope: HTTPScope) -> str | None:
    raw = header(scope, b"idempotency-key")
    return None if raw is None else read_key(raw)


def _dry_run(query: bytes) -> bool:
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("dry_run")
    if values is None:
        return False
    if values[-1].lower() in {"true", "1", "yes"}:
        return True
    if values[-1].lower() in {"false", "0", "no"}:
        return False
    raise Problem("parameter_invalid", "dry_run must be true or false")
