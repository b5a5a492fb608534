"""The HTTP application: the quick route in front, the framework behind it."""

import math
import re
from typing import Any

import structlog
from litestar import Litestar, Request, Response, Router
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.types import Receive, Scope, Send

from smsdesk.api import callbacks
from smsdesk.api.admission import NotKnown, TooOften, WrongMediaType, admit, check_media_type
from smsdesk.api.docs import docs_routes, openapi_config
from smsdesk.api.health import health
from smsdesk.api.home import handsets, home, style
from smsdesk.api.keys import KeyedWrites
from smsdesk.api.media_links import open_link
from smsdesk.api.problems import answer, refusal
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1 import (
    agent_statuses,
    agents,
    blocklist,
    chat_actions,
    chat_search,
    chat_staff,
    chat_transfers,
    chats,
    consent_holds,
    consents,
    costs,
    end_users,
    inbound,
    media,
    notices,
    queues,
    sms,
    texts,
    tickets,
    transcripts,
    verification,
)
from smsdesk.errors import Problem
from smsdesk.store.db import TRY_AGAIN
from smsdesk.store.groups import AWAY

log = structlog.get_logger()

V1 = [
    agent_statuses.router,
    agents.router,
    blocklist.router,
    chat_actions.router,
    chat_search.router,
    chat_staff.router,
    chat_transfers.router,
    chats.router,
    consent_holds.router,
    consents.router,
    costs.router,
    end_users.chat_router,
    end_users.router,
    inbound.router,
    media.router,
    notices.router,
    queues.router,
    texts.router,
    tickets.router,
    transcripts.router,
    verification.router,
]
"""Whatever the API has beside the quick route: a file a noun."""

# The framework names a parameter as the handler does, where its name in the query is no name in Python.
ASKED_AS = {
    "created_from": "created_at[from]",
    "scope_kind": "scope",
    "created_to": "created_at[to]",
    "ended_from": "ends_at[from]",
    "ended_to": "ends_at[to]",
    "first_day": "from",
    "last_day": "to",
    "wait_from": "wait[from]",
    "wait_to": "wait[to]",
    "data": "request body",
}
# What it says of a body that is not there.
SAID_AS = {"'data'": "a JSON object is required"}
LACKING = re.compile(r"Missing required \w+ parameter '([^']+)'")
"""How the framework says that a parameter is missing; it has no list then."""


class Api:
    """The whole application: the quick route, those that are below the framework, and the framework."""

    def __init__(self, services: Services) -> None:
        self.quick = sms.SmsEndpoint(services)
        self._posted = callbacks.CallbackEndpoint(services)
        self._framework = KeyedWrites(services, _framework(services))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"] == sms.PATH:
            await self.quick(scope, receive, send)
        elif scope["type"] == ScopeType.HTTP and scope["path"].startswith(callbacks.PREFIX):
            await self._posted(scope, receive, send)
        else:
            await self._framework(scope, receive, send)


def build_app(services: Services) -> Api:
    """The whole application for these services."""
    return Api(services)


def _framework(services: Services) -> Litestar:
    def provide_services() -> Services:
        return services

    def provide_caller(request: Request[Any, Any, Any]) -> Caller:
        return admit(services, request.scope)

    async def known(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        admit(services, connection.scope)

    v1 = Router(
        "/apps/api/v1",
        route_handlers=V1,
        guards=[known, check_media_type],
        dependencies={"caller": Provide(provide_caller, sync_to_thread=False)},
    )
    return Litestar(
        [v1, open_link, health, home, style, handsets, *docs_routes()],
        dependencies={"services": Provide(provide_services, sync_to_thread=False)},
        exception_handlers={
            Problem: _problem,
            NotKnown: _not_known,
            TooOften: _too_often,
            WrongMediaType: _wrong_media_type,
            HTTPException: _http,
            RecursionError: _too_deep,
            Exception: _other,
        },
        openapi_config=openapi_config(),
        request_max_body_size=64 * 1024,
        logging_config=None,
    )


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _problem(_request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    return _json(*answer(problem))


def _not_known(_request: Request[Any, Any, Any], _error: NotKnown) -> Response[bytes]:
    return _json(*refusal("unauthorized"), {"WWW-Authenticate": 'Basic realm="smsdesk", charset="UTF-8"'})


def _too_often(_request: Request[Any, Any, Any], error: TooOften) -> Response[bytes]:
    return _json(*refusal("rate_limited"), {"Retry-After": str(math.ceil(error.wait))})


def _wrong_media_type(_request: Request[Any, Any, Any], _error: WrongMediaType) -> Response[bytes]:
    return _json(*refusal("wrong_media_type"))


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """The framework's own refusals, in the one form that all refusals have."""
    if isinstance(error, NotFoundException):
        return _json(*refusal("not_found"))
    if isinstance(error, MethodNotAllowedException):
        return _json(*refusal("method_not_allowed"), dict(error.headers or {}))
    if error.status_code == 413:
        return _json(*refusal("body_too_large"))
    if isinstance(error, ValidationException) or error.status_code == 400:
        return _json(*answer(Problem("parameter_invalid", _sentence(error))))
    if error.status_code >= 500:
        return _other(request, error)
    return _json(error.status_code, answer(Problem("parameter_invalid", error.detail))[1])


def _too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[bytes]:
    """JSON that nests deeper than its reader goes, wherever that gave up."""
    return _http(request, HTTPException(status_code=400))


def _sentence(error: HTTPException) -> str:
    """Which parameter was wrong and why, out of the framework's own list."""
    extra = error.extra if isinstance(error.extra, list) else []
    wrong = [(one.get("key", "request body"), one.get("message", "invalid")) for one in extra if isinstance(one, dict)]
    said = (f"{ASKED_AS.get(key, key)}: {SAID_AS.get(says, says)}" for key, says in wrong)
    lacking = LACKING.match(error.detail)
    if lacking:
        return f"{lacking[1]} is required"
    return "; ".join(said) or "the request cannot be read as JSON of the documented form"


def _other(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    if isinstance(error, (*AWAY, *TRY_AGAIN)):
        return _json(*refusal("overloaded"), {"Retry-After": "1"})
    log.error("request failed", exc_info=error)
    return _json(*refusal("internal_error"))
