"""The second factor: shown at the sign-in, set up and given up in the profile."""

from typing import Annotated, Any

import msgspec
import pyotp
import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from smsdesk.actions.change_second_factor import (
    Person,
    begin_second_factor,
    confirm_second_factor,
    renew_recovery_codes,
    turn_off_second_factor,
)
from smsdesk.actions.finish_sign_in import Shown, finish_sign_in
from smsdesk.desk.callers import caller_of, step_of
from smsdesk.desk.pages.sign_in import PUBLIC, SMALL, Asked, entered, lang_of, to
from smsdesk.desk.problems import own_status, sentence, status_of
from smsdesk.desk.render import html, page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import words
from smsdesk.domain.sign_in import TooManyTries
from smsdesk.errors import Problem

OWN = {"right": "work", "before_factor": True}
HERE = "/desk/profile/second-factor"


class Typed(msgspec.Struct):
    """A code, or a password."""

    code: str = ""
    proof: str = ""


Form = Annotated[Typed, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/desk/sign-in/code", opt=PUBLIC)
async def ask(request: Asked, desk: NamedDependency[Desk]) -> Response[Any]:
    """The second half of a sign-in, for a browser that has done the first."""
    tenant, _ = step_of(request, desk.directory.tenants)
    return to("/desk/sign-in") if tenant is None else _code_page(request, None)


@post("/desk/sign-in/code", status_code=200, opt=PUBLIC, request_max_body_size=SMALL)
async def answer(request: Asked, desk: NamedDependency[Desk], data: Form) -> Response[Any]:
    """Lets in who shows the right code."""
    tenant, secret = step_of(request, desk.directory.tenants)
    if tenant is None:
        return to("/desk/sign-in")
    try:
        shown = Shown(secret, data.code[:100], caller_of(request, desk.proxies))
        entry = await finish_sign_in(desk.begin, tenant, shown, desk.secret)
    except Problem as problem:
        return to("/desk/sign-in") if problem.reason == "link_over" else _code_page(request, problem)
    return entered(tenant, entry.next_path, entry)


@get(HERE, opt=OWN)
async def show(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """What he has, or what his app is to be shown."""
    return await _own_page(desk, visitor, None)


@post(HERE, status_code=200, opt=OWN)
async def confirm(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form) -> Response[Any]:
    """Turns it on, and shows the recovery codes."""
    try:
        codes = await confirm_second_factor(desk.begin, _person(visitor), data.code[:100], desk.secret)
    except Problem as problem:
        return await _own_page(desk, visitor, problem)
    return page(visitor, "profile_codes.html", codes=codes, here="")


@post(f"{HERE}/codes", status_code=200, opt=OWN)
async def renew(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form) -> Response[Any]:
    """New recovery codes in the place of the old ones."""
    try:
        codes = await renew_recovery_codes(desk.begin, _person(visitor), data.proof, desk.secret)
    except Problem as problem:
        return await _own_page(desk, visitor, problem)
    return page(visitor, "profile_codes.html", codes=codes, here="")


@post(f"{HERE}/off", status_code=200, opt=OWN)
async def turn_off(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form) -> Response[Any]:
    """Gives it up."""
    try:
        await turn_off_second_factor(desk.begin, _person(visitor), data.proof)
    except Problem as problem:
        return await _own_page(desk, visitor, problem)
    return to("/desk/profile?done=factor-off")


def _person(visitor: Visitor) -> Person:
    return Person(visitor.tenant, visitor.agent_id, visitor.agent.email, visitor.session.session_sha256)


async def _own_page(desk: Desk, visitor: Visitor, problem: Problem | None) -> Response[Any]:
    standing = await begin_second_factor(desk.begin, _person(visitor), desk.secret)
    picture = ""
    if standing.secret:
        issuer = visitor.tenant.settings.company_name or visitor.tenant.subdomain
        uri = pyotp.TOTP(standing.secret).provisioning_uri(name=visitor.agent.email, issuer_name=issuer)
        picture = segno.make(uri, error="m").svg_data_uri(scale=4, dark="#000", light="#fff", border=4)
    error = ""
    if problem is not None:
        wrong = problem.reason == "sign_in_refused"
        error = visitor.words.say("The password is wrong.") if wrong else sentence(problem, visitor.words)
    shown = page(
        visitor, "profile_factor.html", own_status(problem) if problem else 200, standing=standing, picture=picture,
        error=error, needed=visitor.tenant.settings.second_factor == "required",
    )  # fmt: skip
    return _with_wait(shown, problem)


def _code_page(request: Asked, problem: Problem | None) -> Response[Any]:
    lang = lang_of(request)
    error = sentence(problem, words(lang)) if problem else ""
    return _with_wait(
        html(lang, "sign_in_code.html", status_of(problem) if problem else 200, {"error": error}), problem
    )


def _with_wait(shown: Response[Any], problem: Problem | None) -> Response[Any]:
    if isinstance(problem, TooManyTries):
        shown.headers["retry-after"] = str(problem.seconds)
    return shown


PAGES = [ask, answer, show, confirm, renew, turn_off]
