"""The API's tokens: made here, shown once, ended here."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from smsdesk.actions.create_token import create_token
from smsdesk.actions.disable_token import disable_token
from smsdesk.actions.list_tokens import list_tokens
from smsdesk.actions.regenerate_token import regenerate_token
from smsdesk.desk.presets import PHONES
from smsdesk.desk.problems import sentence, status_of
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.audit import Author
from smsdesk.errors import Problem

ADMINISTER = {"right": "administer"}
PATH = "/desk/admin/tokens"


class Named(msgspec.Struct):
    """The forms: all that they say is which token."""

    name: str = ""


Form = Annotated[Named, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get(PATH, opt=ADMINISTER)
async def show(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[str]:
    """The list."""
    return await _page(request, desk, visitor)


@post(PATH, status_code=200, opt=ADMINISTER)
async def create(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form
) -> Response[str]:
    """Makes one, and shows it this once: the answer is the page itself, which is kept by nobody."""
    try:
        token = await create_token(
            desk.db, visitor.tenant.subdomain, data.name, desk.clock(), desk.secret, _author(visitor)
        )
    except Problem as problem:
        said = sentence(problem, visitor.words)
        return await _page(request, desk, visitor, status_of(problem), error=said, typed=data.name)
    await desk.directory.refresh()
    return await _page(request, desk, visitor, token=token, name=data.name.strip())


@post(f"{PATH}/regenerate", status_code=200, opt=ADMINISTER)
async def regenerate(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form
) -> Response[str]:
    """Puts another in the place of one that may have leaked, and shows it this once."""
    author = _author(visitor)
    token = await regenerate_token(desk.db, visitor.tenant.subdomain, data.name, desk.clock(), desk.secret, author)
    await desk.directory.refresh()
    return await _page(request, desk, visitor, token=token, name=data.name)


@post(f"{PATH}/disable", status_code=200, opt=ADMINISTER)
async def disable(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form) -> Response[bytes]:
    """Ends one."""
    return await _switch(desk, visitor, data.name, enable=False)


@post(f"{PATH}/enable", status_code=200, opt=ADMINISTER)
async def enable(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form) -> Response[bytes]:
    """Takes one again."""
    return await _switch(desk, visitor, data.name, enable=True)


async def _switch(desk: Desk, visitor: Visitor, name: str, *, enable: bool) -> Response[bytes]:
    author = _author(visitor)
    await disable_token(desk.db, visitor.tenant.subdomain, name, desk.clock(), enable=enable, author=author)
    await desk.directory.refresh()
    return Response(b"", status_code=303, headers={"location": PATH})


def _author(visitor: Visitor) -> Author:
    return Author("desk", visitor.agent_id)


async def _page(
    request: Request[Any, Any, Any], desk: Desk, visitor: Visitor, status: int = 200, **more: Any
) -> Response[str]:
    tokens = await list_tokens(desk.db, visitor.tenant.subdomain, visitor.agent_id)
    ours = sorted(visitor.tenant.numbers)
    body = {"chat_type": "Messaging (SMS)", "end_user_number": PHONES[0],
            "outbound_number": ours[0] if ours else "+16285550199", "message": "lorem ipsum"}  # fmt: skip
    shown = {"tokens": tokens, "token": "", "name": "", "error": "", "typed": "", **more}
    shown["address"] = visitor.tenant.settings.public_url or str(request.base_url)
    shown["body"] = msgspec.json.encode(body).decode()
    return page(visitor, "tokens.html", status, here="/desk/admin", **shown)


PAGES = [show, create, regenerate, disable, enable]
