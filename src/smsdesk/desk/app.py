"""The desk as an application of its own: its pages, who may see them, and what every answer carries."""

import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from litestar import Litestar, Request, Response
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.types import ASGIApp

from smsdesk.desk.callers import inside
from smsdesk.desk.guard import FactorMissing, Foreign, SignedOut, admit, check_origin, preferred, provide_visitor
from smsdesk.desk.pages import PAGES
from smsdesk.desk.problems import sentence, status_of
from smsdesk.desk.render import html
from smsdesk.desk.services import Desk
from smsdesk.desk.static import read_static
from smsdesk.desk.words import best, words
from smsdesk.domain.sign_in import TooManyTries
from smsdesk.errors import Problem
from smsdesk.store.db import TRY_AGAIN
from smsdesk.store.groups import AWAY

log = structlog.get_logger()

PREFIX = "/desk"
OF_A_CHAT = re.compile(r"/desk/chats/(?P<chat>\d+)/(?P<part>thread|head|person)")
"""Parts of an open chat's page that are looked at again by themselves."""
LARGEST_BODY = 64 * 1024 * 1024
"""Octets of a request: several files of the largest size that a tenant may allow."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}


def build_desk(desk: Desk) -> ASGIApp:
    """The application for these services; everything of it lies under PREFIX."""

    def provide_desk() -> Desk:
        return desk

    return Litestar(
        [read_static, *PAGES],
        guards=[check_origin, admit],
        dependencies={
            "desk": Provide(provide_desk, sync_to_thread=False),
            "visitor": Provide(provide_visitor, sync_to_thread=False),
        },
        state=State({"desk": desk}),
        after_request=_finished,
        exception_handlers={
            SignedOut: _signed_out,
            FactorMissing: _factor_missing,
            Foreign: _foreign,
            Problem: _problem,
            HTTPException: _http,
            Exception: _other,
        },
        compression_config=CompressionConfig(backend="gzip", minimum_size=800, exclude=["/desk/live", "/desk/static"]),
        openapi_config=None,
        request_max_body_size=LARGEST_BODY,
        logging_config=None,
    )


async def _finished(response: Response[Any]) -> Response[Any]:
    # A coroutine: what is none, the framework runs in a thread, which costs a request half a millisecond.
    return _finish(response)


def _finish(response: Response[Any]) -> Response[Any]:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("cache-control", "no-store")
    return response


def _signed_out(request: Request[Any, Any, Any], _error: SignedOut) -> Response[Any]:
    """To the sign-in page, and back to where he wanted to go: of a write there is nothing to go back to."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if "hx-request" in request.headers and not ("hx-boosted" in request.headers and request.method == "GET"):
        # A part of a page, or a form on it: he comes back to the page.
        page = urlsplit(request.headers.get("hx-current-url", ""))
        path = page.path + (f"?{page.query}" if page.query else "")
    back = inside(path) if request.method == "GET" or "hx-request" in request.headers else "/desk"
    target = "/desk/sign-in" + (f"?next={quote(back, safe='')}" if back != "/desk" else "")
    return _sent(request, target, 401)


def _factor_missing(request: Request[Any, Any, Any], _error: FactorMissing) -> Response[Any]:
    return _sent(request, "/desk/profile/second-factor", 403)


def _sent(request: Request[Any, Any, Any], target: str, status: int) -> Response[Any]:
    """To another page: by the status to a browser, by a header to a script, which would follow the first by itself."""
    if "hx-request" in request.headers:
        return _finish(Response(b"", status_code=status, headers={"HX-Redirect": target}))
    return _finish(Response(b"", status_code=303, headers={"location": target}))


def _foreign(request: Request[Any, Any, Any], _error: Foreign) -> Response[Any]:
    return _told(request, 403, _words(request).say("This request did not come from a page of this desk."))


def _problem(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    if problem.reason == "not_found" and (gone := _gone(request)):
        return gone
    answer = _told(request, status_of(problem), sentence(problem, _words(request)))
    if isinstance(problem, TooManyTries):
        answer.headers["retry-after"] = str(problem.seconds)
    return answer


def _gone(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """What a part of an open chat is answered that is not his to see any more, such as one that was given on: back to
    the list, which says so. One part leads there, the others of the page say nothing."""
    part = OF_A_CHAT.fullmatch(request.url.path)
    asked = "hx-request" in request.headers and "hx-boosted" not in request.headers and request.method == "GET"
    if part is None or not asked or f"/desk/chats/{part['chat']}" not in request.headers.get("hx-current-url", ""):
        return None
    if part["part"] != "thread":
        return _finish(Response(b"", status_code=204))
    where = json.dumps({"path": f"/desk?left={part['chat']}", "target": "body", "swap": "morph:innerHTML"})
    return _finish(Response(b"", status_code=200, headers={"HX-Location": where}))


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code >= 500:
        return _other(request, error)
    if isinstance(error, NotFoundException):
        return _problem(request, Problem("not_found"))
    return _told(request, error.status_code, _words(request).say("The request cannot be read: {why}", why=error.detail))


def _other(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if isinstance(error, (*AWAY, *TRY_AGAIN)):
        return _problem(request, Problem("overloaded"))
    log.error("request failed", exc_info=error)
    return _told(request, 500, _words(request).say("Something is wrong here; the server's log has the cause."))


def _words(request: Request[Any, Any, Any]) -> Any:
    visitor = request.scope.get("state", {}).get("visitor")
    return visitor.words if visitor else words(best(preferred(request.headers.get("accept-language", ""))))


def _told(request: Request[Any, Any, Any], status: int, said: str) -> Response[Any]:
    """A line among the notices where a script asked; a page where a person did."""
    values = {"said": said, "status": status}
    if "hx-request" in request.headers and "hx-boosted" not in request.headers:
        answer = html(_words(request).lang, "parts/notice.html", status, {**values, "kind": "error"})
        answer.headers |= {"HX-Retarget": "#notices", "HX-Reswap": "afterbegin", "HX-Push-Url": "false"}
        return _finish(answer)
    return _finish(html(_words(request).lang, "error.html", status, values))
