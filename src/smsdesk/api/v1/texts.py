"""/apps/api/v1/texts: what became of a text, texts of which nobody knows, and receipts that fit none.

An addition of ours to the imitated API.
"""

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
from smsdesk.api.v1.trace_object import TraceObject, trace_object
from smsdesk.errors import Problem
from smsdesk.store.doubtful import DoubtfulText, Settlement, count_doubtful, list_doubtful
from smsdesk.store.orphans import OrphanReceipt, count_orphans, list_orphans
from smsdesk.store.trace import find_trace

MessageId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The `message_id` of the text.")]


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


class OrphanObject(msgspec.Struct):
    """A delivery report that fits no text of ours, or (`unreadable`) what a carrier posted and nobody could read."""

    carrier: str
    carrier_id: str
    status: str
    reason: str | None
    carrier_code: str
    end_user_number: str | None
    received_at: str


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
    """Texts that may or may not have left, the longest in doubt first. None of them is sent again by itself but those
    whose sender asked for it (`on_doubt: resend`)."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        total = await count_doubtful(conn, tenant_id)
        texts = await list_doubtful(conn, tenant_id, per, at.offset)
    return Response([_object(text) for text in texts], headers=page_headers(request.url, at, total))


@get("/orphans", summary="List receipts that fit no text", responses=REFUSALS)
async def list_orphaned(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[OrphanObject]]:
    """Delivery reports that fit no text, the latest first. One whose text becomes known leaves the list by itself."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        total = await count_orphans(conn, tenant_id)
        orphans = await list_orphans(conn, tenant_id, per, at.offset)
    return Response([_orphan(orphan) for orphan in orphans], headers=page_headers(request.url, at, total))


@get("/{message_id:int}", summary="Read what became of a text", responses=REFUSALS)
async def read_one(
    services: NamedDependency[Services], caller: NamedDependency[Caller], message_id: MessageId
) -> TraceObject:
    """Why a text was sent, by whom, each attempt and each part of it, and what became of them."""
    async with services.db.connection() as conn:
        trace = await find_trace(conn, caller.tenant.tenant_id, message_id)
    if trace is None:
        raise Problem("not_found")
    return trace_object(trace)


@post("/{message_id:int}/settle", status_code=200, summary="Settle a doubtful text", responses=REFUSALS)
async def settle(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    message_id: MessageId,
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


def _orphan(orphan: OrphanReceipt) -> OrphanObject:
    return OrphanObject(
        orphan.carrier, orphan.carrier_part_id, orphan.state, orphan.reason, orphan.code, orphan.number,
        time(orphan.at),
    )  # fmt: skip


router = Router("/texts", route_handlers=[list_all, list_orphaned, read_one, settle], tags=["Texts"])
