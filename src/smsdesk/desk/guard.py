"""Who may come in: a session that is good, a right for the page, and a request that our own pages made."""

from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from smsdesk.desk.callers import PLAIN, SECURE, is_secure, workspace_of
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import best, words
from smsdesk.domain.looked_for import LARGEST_ID
from smsdesk.domain.sign_in import good_until
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.token import digest
from smsdesk.errors import Problem
from smsdesk.store.sessions import find_session, touch_session

SAFE = ("GET", "HEAD", "OPTIONS")
SELDOM = timedelta(minutes=5)
"""How often its use is noted: a page a second would else write a row a second."""
ZONE = "smsdesk_zone"
"""The cookie in which a script tells the browser's time zone."""


class SignedOut(Exception):
    """Nobody is signed in, or not any more."""


class Foreign(Exception):
    """A write that no page of ours asked for."""


class FactorMissing(Exception):
    """The tenant asks for a second factor, and he has none yet."""


async def check_origin(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Refuses a write that another site made the browser send (OWASP: Fetch Metadata, then Origin against Host). One
    that says neither is refused: every browser that the desk works in says one of them. Raises Foreign."""
    if connection.scope["method"] in SAFE:  # type: ignore[typeddict-item]
        return
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None:
        # A browser's own word, which no page can change; it holds behind a proxy that gives us another Host, too.
        if site != "same-origin":
            raise Foreign
        return
    said = urlsplit(origin or "")
    host = connection.headers.get("host", "").lower()
    schemes = ("https",) if SECURE in connection.cookies else ("http", "https")
    if not host or said.scheme not in schemes or said.netloc.lower() != host:
        raise Foreign


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Lets in who is signed in and has the right that the route names; a route that names none lets nobody in. Raises
    SignedOut, or Problem `forbidden`."""
    if handler.opt.get("public"):
        return
    visitor = await _visitor(connection, connection.app.state.desk)
    connection.scope["state"]["visitor"] = visitor
    if not visitor.may(handler.opt.get("right", "nobody")):
        raise Problem("forbidden")
    if _lacks_factor(visitor) and not handler.opt.get("before_factor"):
        raise FactorMissing
    if any(isinstance(value, int) and not 0 <= value <= LARGEST_ID for value in connection.path_params.values()):
        raise Problem("not_found")  # no column holds such an id


def _lacks_factor(visitor: Visitor) -> bool:
    session, wanted = visitor.session, visitor.tenant.settings.second_factor
    # Who comes from an identity provider has shown there what his company asks for.
    return wanted == "required" and session.method == "password" and not session.has_second_factor


def provide_visitor(request: Request[Any, Any, Any]) -> Visitor:
    """Whom `admit` has let in."""
    visitor: Visitor = request.scope["state"]["visitor"]
    return visitor


async def _visitor(connection: ASGIConnection[Any, Any, Any, Any], desk: Desk) -> Visitor:
    tenant, cookie = _tenant(connection, desk)
    now = desk.clock()
    async with desk.db.connection() as conn:
        session = await find_session(conn, tenant.tenant_id, digest(cookie.partition(".")[2]), now)
        if session is None:
            raise SignedOut
        until = good_until(session.created_at, tenant.settings, now)
        if until <= now:
            raise SignedOut
        if now - session.seen_at > SELDOM:
            await touch_session(conn, tenant.tenant_id, session.session_sha256, now, until)
    lang = best([session.lang, *preferred(connection.headers.get("accept-language", ""))])
    zones = (session.time_zone, connection.cookies.get(ZONE), tenant.settings.time_zone)
    zone = ZoneInfo(next((zone for zone in zones if zone and zone in _zones()), "UTC"))
    return Visitor(tenant, session.agent, session, words(lang), zone, cookie)


def _tenant(connection: ASGIConnection[Any, Any, Any, Any], desk: Desk) -> tuple[Tenant, str]:
    """The tenant of the session's cookie, and the cookie. Of a tenant with https only the cookie counts that other
    names under his domain cannot set, and a host that names a tenant names the cookie's."""
    cookie = connection.cookies.get(SECURE) or connection.cookies.get(PLAIN) or ""
    subdomain, _, secret = cookie.partition(".")
    tenant = desk.directory.tenants.get(subdomain)
    if tenant is None or not secret or (is_secure(tenant) and SECURE not in connection.cookies):
        raise SignedOut
    if workspace_of(connection, desk.domain, desk.directory.tenants) not in (None, subdomain):
        raise SignedOut
    return tenant, cookie


@cache
def _zones() -> frozenset[str]:
    """Those that this machine knows: reading them takes 20 ms."""
    return frozenset(available_timezones())


def preferred(accepted: str) -> list[str]:
    """The languages of an Accept-Language header, the best first; their weights count, what is no language does not."""
    found: list[tuple[float, str]] = []
    for one in accepted.split(","):
        name, _, weight = one.strip().partition(";q=")
        try:
            found.append((-float(weight or 1), name))
        except ValueError:
            continue
    return [name for _, name in sorted(found, key=lambda each: each[0])]
