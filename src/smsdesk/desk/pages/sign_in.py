"""Signing in by password, and out."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery, QueryParameter

from smsdesk.actions.end_sessions import sign_out
from smsdesk.actions.sign_in import SignIn, sign_in
from smsdesk.desk.callers import (
    PLAIN,
    SECURE,
    SECURE_STEP,
    STEP,
    WORKSPACE,
    caller_of,
    gone_cookies,
    host_of,
    inside,
    is_secure,
    lasting_cookies,
    session_cookie,
    step_cookie,
    workspace_of,
)
from smsdesk.desk.guard import preferred
from smsdesk.desk.problems import sentence, status_of
from smsdesk.desk.render import html
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import best, words
from smsdesk.domain.sign_in import TooManyTries
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.entering import Entry

Asked = Request[Any, Any, Any]
PUBLIC = {"public": True}
SMALL = 64 * 1024
"""Octets of a form that anybody may send."""
Next = Annotated[str, QueryParameter(name="next")]


class Typed(msgspec.Struct):
    """The form."""

    email: str = ""
    password: str = ""
    workspace: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The workspace that somebody wants into. The host may have said it, or nobody yet."""

    name: str
    tenant: Tenant | None
    fixed: bool
    """Whether there is nothing to choose."""


@get("/desk/sign-in", opt=PUBLIC)
async def show(
    request: Asked, desk: NamedDependency[Desk], workspace: FromQuery[str] = "", target: Next = ""
) -> Response[str]:
    """The ways in, for whoever comes; first the workspace, where it is open."""
    place = place_of(request, desk, workspace)
    return sign_in_page(request, place, Typed(workspace=place.name, next=target), None)


@post("/desk/sign-in", status_code=200, opt=PUBLIC, request_max_body_size=SMALL)
async def enter(
    request: Asked,
    desk: NamedDependency[Desk],
    data: Annotated[Typed, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Lets somebody in, or says that it was wrong."""
    place = place_of(request, desk, data.workspace)
    try:
        if place.tenant is None:
            raise Problem("sign_in_refused")
        caller = caller_of(request, desk.proxies)
        tried = SignIn(data.email.strip().replace("\0", ""), data.password, caller, inside(data.next))
        entry = await sign_in(desk.begin, place.tenant, tried, desk.secret)
    except Problem as problem:
        return sign_in_page(request, place, data, problem)
    return entered(place.tenant, data.next, entry)


@post("/desk/sign-out", status_code=200, opt={"right": "work", "before_factor": True})
async def leave(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """Ends the session."""
    await sign_out(desk.begin, visitor.tenant_id, visitor.session)
    return Response(b"", status_code=303, headers={"location": "/desk/sign-in"}, cookies=gone_cookies(PLAIN, SECURE))


def entered(tenant: Tenant, target: str, entry: Entry) -> Response[Any]:
    """To where somebody wanted to go; first to the second factor, where one is to come."""
    if entry.step:
        return to("/desk/sign-in/code", step_cookie(tenant, entry.step))
    kept = [session_cookie(tenant, entry.session), *lasting_cookies(tenant, entry.known)]
    return to(inside(target), *kept, *gone_cookies(STEP, SECURE_STEP))


def to(path: str, *cookies: Any) -> Response[Any]:
    """To another page."""
    return Response(b"", status_code=303, headers={"location": path}, cookies=list(cookies))


def place_of(request: Asked, desk: Desk, wanted: str) -> Place:
    """The host's workspace, else what was asked for, else the only one there is, else the one of the last time."""
    tenants = desk.directory.tenants
    hosts = workspace_of(request, desk.domain, tenants)
    if hosts is not None:
        return Place(hosts, tenants.get(hosts), True)
    if len(tenants) == 1:
        return Place(*next(iter(tenants.items())), True)
    name = wanted.strip().lower()[:100] or request.cookies.get(WORKSPACE, "")[:100]
    return Place(name, tenants.get(name), False)


def lang_of(request: Asked) -> str:
    """The language of somebody who is not signed in."""
    return best(preferred(request.headers.get("accept-language", "")))


def sign_in_page(request: Asked, place: Place, typed: Typed, problem: Problem | None) -> Response[str]:
    """The ways into a workspace, and what went wrong."""
    lang, settings = lang_of(request), place.tenant.settings if place.tenant else None
    elsewhere = ""
    if place.tenant and settings and is_secure(place.tenant) and host_of(request) not in settings.public_url:
        elsewhere = f"{settings.public_url}/desk"
    values = {
        "typed": typed, "place": place, "elsewhere": elsewhere,
        "error": sentence(problem, words(lang)) if problem else "",
        "oidc": settings.oidc if settings else None, "passwords": settings.passwords if settings else True,
    }  # fmt: skip
    answer = html(lang, "sign_in.html", status_of(problem) if problem else 200, values)
    if isinstance(problem, TooManyTries):
        answer.headers["retry-after"] = str(problem.seconds)
    return answer


PAGES = [show, enter, leave]
