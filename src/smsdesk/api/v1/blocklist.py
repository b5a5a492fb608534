"""/apps/api/v1/blocklist: numbers that the tenant wants nothing to do with. An addition of ours to the imitated API."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from smsdesk.actions.block_number import block_number, unblock_number
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import REFUSALS, PageNumber, PerPage
from smsdesk.api.v1.consent_request import read_phone
from smsdesk.store.blocklist import BlockedNumber, count_blocked, list_blocked


class BlockedObject(msgspec.Struct):
    """A number that is not texted, and whose replies are kept and reach nobody."""

    number: str
    note: str
    blocked_at: str
    blocked_by: str | None


class ToBlock(msgspec.Struct):
    """A number to be blocked, and why."""

    number: str
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


@get("/", summary="List blocked numbers", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[BlockedObject]]:
    """The blocklist, by number."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        total = await count_blocked(conn, tenant_id)
        found = await list_blocked(conn, tenant_id, per, at.offset)
    return Response([_object(one) for one in found], headers=page_headers(request.url, at, total))


@post("/", status_code=200, summary="Block a number", responses=REFUSALS)
async def block(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[ToBlock]
) -> BlockedObject:
    """From now on nothing is accepted for the number, and its replies are kept without reaching anybody. What is in the
    queue for it still leaves. A number that is blocked already stays as it is."""
    number, by = read_phone(data.number, caller.tenant), caller.credential.name
    note = data.note.strip()
    await block_number(services.begin, caller.tenant.tenant_id, number, note, by)
    return _object(BlockedNumber(number, services.clock(), note, by))


@delete("/{number:str}", status_code=204, summary="Unblock a number", responses=REFUSALS)
async def unblock(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    number: Annotated[str, PathParameter(description="A phone number, such as +14155550100.")],
) -> None:
    """Takes a number off the list. What it opted out of stays."""
    await unblock_number(services.begin, caller.tenant.tenant_id, read_phone(number, caller.tenant))


def _object(blocked: BlockedNumber) -> BlockedObject:
    return BlockedObject(blocked.number, blocked.note, time(blocked.at), blocked.actor)


router = Router("/blocklist", route_handlers=[list_all, block, unblock], tags=["Consent"])
