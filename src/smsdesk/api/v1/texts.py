"""/apps/api/v1/texts: texts of which nobody knows whether they left. An addition of ours to the imitated API."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from smsdesk.actions.settle_text import settle_text
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage
from smsdesk.store.doubtful import DoubtfulText, Settlement, count_doubtful, list_doubtful


class DoubtfulObject(msgspec.Struct):
    """A text that may or may not have left. `named_segments` counts those that the carrier answered for."""

    message_id: int
    chat_id: int
    outbound_number: str
    end_user_number: str
    carrier: str
    content: str
    segments: int
    named_segments: int
    attempt: int
    sent_at: str
    doubtful_since: str


class Verdict(msgspec.Struct):
    """What became of it, as a person found out, and who says so."""

    verdict: Literal["sent", "not_sent", "send_again"]
    settled_by: str


class Settled(msgspec.Struct):
    """The verdict as it was written down."""

    message_id: int
    verdict: str
    settled_by: str


@get("/doubtful", summary="List doubtful texts", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[DoubtfulObject]]:
    """Texts that may or may not have left, the longest in doubt first. None of them is sent again by itself."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        total = await count_doubtful(conn, tenant_id)
        texts = await list_doubtful(conn, tenant_id, per, at.offset)
    return Response([_object(text) for text in texts], headers=page_headers(request.url, at, total))


@post("/{message_id:int}/settle", status_code=200, summary="Settle a doubtful text", responses=REFUSALS)
async def settle(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    message_id: Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The `message_id` of the text.")],
    data: JSONBody[Verdict],
) -> Settled:
    """Says of a doubtful text that it was sent, that it was not, or that it shall be sent again."""
    settlement = Settlement(message_id, data.verdict, data.settled_by)
    await settle_text(services.db, caller.tenant, settlement, services.clock())
    if data.verdict == "send_again":
        services.wake(caller.tenant.tenant_id)
    return Settled(message_id, data.verdict, data.settled_by.strip())


def _object(text: DoubtfulText) -> DoubtfulObject:
    return DoubtfulObject(
        text.message_id, text.chat_id, text.source, text.destination, text.carrier, text.body, text.parts, text.named,
        text.attempt, time(text.sent_at), time(text.since),
    )  # fmt: skip


router = Router("/texts", route_handlers=[list_all, settle], tags=["Texts"])
