"""Giving oneself a password: by a link, or in the place of the old one."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from smsdesk.actions.set_password import look_at_link, use_link
from smsdesk.desk.pages.sign_in import PUBLIC, SMALL, Asked, lang_of, to
from smsdesk.desk.problems import sentence, status_of
from smsdesk.desk.render import html
from smsdesk.desk.services import Desk
from smsdesk.desk.words import words
from smsdesk.domain.sign_in import LONGEST, SHORTEST
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem


class Chosen(msgspec.Struct):
    """The form."""

    password: str = ""
    again: str = ""


@get("/desk/password/{token:str}", opt=PUBLIC)
async def show(request: Asked, desk: NamedDependency[Desk], token: FromPath[str]) -> Response[str]:
    """The form behind a link; looking at it does not use the link up: mail programs look at all of them."""
    tenant, secret = _parted(desk, token)
    account = await look_at_link(desk.begin, tenant.tenant_id, secret)
    return _form(request, token, account.email, None)


@post("/desk/password/{token:str}", status_code=200, opt=PUBLIC, request_max_body_size=SMALL)
async def choose(
    request: Asked,
    desk: NamedDependency[Desk],
    token: FromPath[str],
    data: Annotated[Chosen, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Sets the password, and leads to the sign-in with it."""
    tenant, secret = _parted(desk, token)
    account = await look_at_link(desk.begin, tenant.tenant_id, secret)
    if data.password != data.again:
        return _form(request, token, account.email, "unlike")
    try:
        await use_link(desk.begin, tenant.tenant_id, secret, data.password, desk.secret)
    except Problem as problem:
        if problem.reason == "link_over":
            raise
        return _form(request, token, account.email, problem)
    return to(f"/desk/sign-in?workspace={tenant.subdomain}")


def _parted(desk: Desk, token: str) -> tuple[Tenant, str]:
    subdomain, _, secret = token.partition(".")
    tenant = desk.directory.tenants.get(subdomain)
    if tenant is None or not secret:
        raise Problem("link_over")
    return tenant, secret


def _form(request: Asked, token: str, email: str, wrong: Problem | str | None) -> Response[str]:
    lang = lang_of(request)
    error = ""
    if isinstance(wrong, Problem):
        error = sentence(wrong, words(lang))
    elif wrong:
        error = words(lang).say("The two passwords are not the same.")
    status = status_of(wrong) if isinstance(wrong, Problem) else 422 if wrong else 200
    values = {"token": token, "email": email, "error": error, "shortest": SHORTEST, "longest": LONGEST}
    return html(lang, "sign_in_password.html", status, values)


PAGES = [show, choose]
