"""Signing in by the company's identity provider."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import structlog
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from smsdesk.actions.enter_by_identity import enter_by_identity, leave_for_identity, return_from_identity
from smsdesk.desk.callers import caller_of, inside, step_cookie, step_of
from smsdesk.desk.oidc import Answer, Client
from smsdesk.desk.pages.sign_in import PUBLIC, Asked, Next, Place, Typed, entered, place_of, sign_in_page, to
from smsdesk.desk.services import Desk
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.setup.secrets import SecretMissing, resolve

BACK = "/desk/sign-in/oidc/back"
Given = Annotated[str, QueryParameter(name="state")]
"""`state` is a word of the framework."""
Iss = Annotated[str, QueryParameter(name="iss")]
log = structlog.get_logger()


@get("/desk/sign-in/oidc", opt=PUBLIC)
async def leave(
    request: Asked, desk: NamedDependency[Desk], workspace: FromQuery[str] = "", target: Next = ""
) -> Response[Any]:
    """Out to the provider."""
    place = place_of(request, desk, workspace)
    try:
        tenant, client = _client(request, desk, place.tenant)
        way = await leave_for_identity(
            desk.begin, tenant, caller_of(request, desk.proxies), inside(target), desk.secret
        )
        where = await desk.providers.way_out(client, way.state, way.nonce, way.verifier, desk.clock())
    except Problem as problem:
        return _refused(request, place, problem)
    return to(where, step_cookie(tenant, way.state))


@get(BACK, opt=PUBLIC)
async def come_back(
    request: Asked, desk: NamedDependency[Desk], code: FromQuery[str] = "", given: Given = "",
    error: FromQuery[str] = "", iss: Iss = "",
) -> Response[Any]:  # fmt: skip
    """Back with the provider's answer: in, where it holds."""
    begun, secret = step_of(request, desk.directory.tenants)
    place = Place(begun.subdomain, begun, False) if begun else place_of(request, desk, "")
    try:
        tenant, client = _client(request, desk, begun)
        if not secret or given != secret:
            raise Problem("link_over")
        step = await return_from_identity(desk.begin, tenant, given)
        if error or not code or (iss and iss != client.issuer):
            raise Problem("identity_refused", f"it answered {error[:80] or 'without a code'}")
        answer = Answer(code, step.nonce or "", step.verifier or "")
        email = await desk.providers.email_of(client, answer, desk.clock())
        caller = caller_of(request, desk.proxies)
        entry = await enter_by_identity(desk.begin, tenant, email, caller, step, desk.secret)
    except Problem as problem:
        return _refused(request, place, problem)
    return entered(tenant, entry.next_path, entry)


def _client(request: Asked, desk: Desk, tenant: Tenant | None) -> tuple[Tenant, Client]:
    oidc = tenant.settings.oidc if tenant else None
    if tenant is None or oidc is None:
        raise Problem("link_over")
    try:
        secret = resolve(oidc["client_secret"], desk.environ)
    except SecretMissing as missing:
        raise Problem("identity_refused", f"client_secret: {missing}") from None
    base = tenant.settings.public_url or f"http://{request.headers.get('host', '')}"
    parts = urlsplit(base)
    return tenant, Client(oidc["issuer"], oidc["client_id"], secret, f"{parts.scheme}://{parts.netloc}{BACK}")


def _refused(request: Asked, place: Place, problem: Problem) -> Response[str]:
    if problem.reason == "identity_refused":
        # The person is told that it did not work; why is for those who have set it up.
        log.warning("sign-in by identity provider refused", workspace=place.name, why=problem.detail)
    return sign_in_page(request, place, Typed(workspace=place.name), problem)


PAGES = [leave, come_back]
