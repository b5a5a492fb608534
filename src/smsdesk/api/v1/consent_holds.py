"""/apps/api/v1/consent_holds and /consents/waiting: what a person has to decide about consent.

An addition of ours to the imitated API.
"""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from smsdesk.actions.decide_hold import Verdict, decide_hold
from smsdesk.actions.take_over_opt_outs import release_opt_outs
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage
from smsdesk.api.v1.consent_request import who_says
from smsdesk.store import carrier_opt_outs, consent_holds
from smsdesk.store.carrier_opt_outs import CarrierOptOut
from smsdesk.store.consent_holds import Hold


class HoldObject(msgspec.Struct):
    """A reply that may be a revocation. While `decision` is null, no notice leaves between the two numbers."""

    id: int
    end_user_number: str
    outbound_number: str
    chat_id: int
    message_id: int
    words: str
    reason: str
    created_at: str
    decision: str | None
    decided_at: str | None
    decided_by: str | None


class HoldDecision(msgspec.Struct):
    """What the reply meant, as a person says who read it."""

    decision: Literal["revoked", "allowed"]
    agent_id: Annotated[int, msgspec.Meta(ge=1, le=MOST_ID)] | None = None


class WaitingObject(msgspec.Struct):
    """A text that a carrier refused because its reader had opted out there, among too many to be believed unseen."""

    carrier: str
    end_user_number: str
    outbound_number: str
    message_id: int
    carrier_code: str
    refused_at: str


class WaitingDecision(msgspec.Struct):
    """What becomes of all that waits of a carrier's: opted out here too, or not."""

    carrier: str
    decision: Literal["taken", "dropped"]


class Released(msgspec.Struct):
    """How many waited."""

    count: int


@get("/consents/waiting", summary="List a carrier's opt-outs that wait", responses=REFUSALS)
async def list_waiting(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[WaitingObject]]:
    """What carriers refused as opted out, where it was too much in an hour (`carrier_opt_outs_most`) to be taken over
    unseen."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        total = await carrier_opt_outs.count_waiting(conn, tenant_id)
        waiting = await carrier_opt_outs.list_waiting(conn, tenant_id, per, at.offset)
    return Response([_waiting(one) for one in waiting], headers=page_headers(request.url, at, total))


@post("/consents/waiting", status_code=200, summary="Decide about a carrier's opt-outs", responses=REFUSALS)
async def release_waiting(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[WaitingDecision]
) -> Released:
    """Takes over all that waits of a carrier's, or drops it. From then on the carrier is believed again."""
    by = caller.credential.name
    count = await release_opt_outs(services.begin, caller.tenant.tenant_id, data.carrier, data.decision, by)
    return Released(count)


@get("/consent_holds", summary="List doubtful replies", responses=REFUSALS)
async def list_holds(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    decided: Annotated[bool, QueryParameter(description="Those that somebody decided, the latest first.")] = False,
) -> Response[list[HoldObject]]:
    """Replies that may be a revocation and wait for a person, the longest first."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        total = await consent_holds.count_holds(conn, tenant_id, not decided)
        holds = await consent_holds.list_holds(conn, tenant_id, not decided, per, at.offset)
    return Response([_hold(hold) for hold in holds], headers=page_headers(request.url, at, total))


@post("/consent_holds/{hold_id:int}", status_code=200, summary="Decide about a doubtful reply", responses=REFUSALS)
async def decide(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    hold_id: Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The `id` of the hold.")],
    data: JSONBody[HoldDecision],
) -> HoldObject:
    """Says what the reply meant: a revocation, which then has the scope of a STOP, or none.
    Then what was held may leave."""
    source, actor = who_says(data.agent_id, caller)
    verdict = Verdict(hold_id, data.decision, actor, source)
    hold = await decide_hold(services.begin, caller.tenant.tenant_id, verdict)
    services.wake(caller.tenant.tenant_id)
    return _hold(hold)


def _hold(hold: Hold) -> HoldObject:
    return HoldObject(
        hold.hold_id, hold.number, hold.our_number, hold.chat_id, hold.message_id, hold.words, hold.reason,
        time(hold.at), hold.decision, time(hold.decided_at) if hold.decided_at else None, hold.decided_by,
    )  # fmt: skip


def _waiting(one: CarrierOptOut) -> WaitingObject:
    return WaitingObject(one.carrier, one.number, one.our_number, one.message_id, one.code, time(one.at))


router = Router("/", route_handlers=[list_waiting, release_waiting, list_holds, decide], tags=["Consent"])
