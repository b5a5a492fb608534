"""/apps/api/v1/agents: who works here, what each does, is asked for and has in hand.

The keys of an agent are those of the page `manager-api-agent` where it has them.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from smsdesk.actions.keep_presence import LONGEST, keep_presence
from smsdesk.actions.set_agent_status import set_agent_status
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage
from smsdesk.domain.agent_status import is_online
from smsdesk.errors import Problem
from smsdesk.store import agent_lists, offers
from smsdesk.store.agent_lists import AgentFilter, AgentLine, ChatInHand, PastStatus
from smsdesk.store.agents import find_agent
from smsdesk.store.db import Connection
from smsdesk.store.offers import OpenOffer

AgentId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The agent's `id`.")]


class StatusObject(msgspec.Struct):
    name: str
    reason: str | None


class AgentObject(msgspec.Struct):
    """An agent. `chat_count` are his open chats; `load` of his `places` are taken, by chats whose consumers have
    written, wrap-ups and offers. `ready`: he would be asked now. `leaving`: he is logged out after his chats."""

    id: int
    email: str
    first_name: str
    last_name: str
    avatar_url: str | None
    agent_number: int | None
    role: str
    disabled: bool
    status: StatusObject
    status_updated_at: str | None
    online: bool
    wrap_up: bool
    chat_count: int
    ready: bool
    load: int
    places: int
    leaving: bool
    present_until: str | None
    skills: list[str]
    queue_ids: list[int]


class OfferObject(msgspec.Struct):
    """A chat that the agent is asked to take. After `seconds_left` others are asked; of a transfer, who gives it on."""

    id: int
    chat_id: int
    offered_at: str
    expires_at: str
    seconds_left: int
    waiting_since: str
    queue_id: int | None
    queue: str | None
    last_words: str | None
    transfer_id: int | None
    transfer_kind: str | None
    transfer_note: str | None
    from_agent_id: int | None


class LastMessage(msgspec.Struct):
    id: int
    sender: str
    content: str
    created_at: str


class ChatInHandObject(msgspec.Struct):
    """An open chat that the agent is in. `participation` is `owner`, or how he is in another's chat: `waiting`,
    `connected` or `monitoring`. `unread` counts what the consumer wrote since he was answered."""

    chat_id: int
    status: str
    participation: str
    end_user_id: int
    queue_id: int | None
    queue: str | None
    created_at: str
    last_message: LastMessage | None
    unread: int
    waiting_since: str | None


class HistoryObject(msgspec.Struct):
    """What an agent did; `ended_at` is null of what he does now."""

    status: str
    reason: str | None
    started_at: str
    ended_at: str | None
    duration: int | None


class StatusChange(msgspec.Struct):
    """What the agent does from now on, such as `Available` or `break`, and why."""

    status: str
    reason: str | None = None


class Presence(msgspec.Struct):
    """For how many seconds more his desk is there."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST)]


class PresenceObject(msgspec.Struct):
    agent_id: int
    present_until: str


@get("/", summary="List agents", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    queue_id: Annotated[
        int | None, QueryParameter(ge=1, le=MOST_ID, description="Only who works in this queue.")
    ] = None,
    disabled: Annotated[bool | None, QueryParameter(description="Only who is disabled, or who is not.")] = None,
) -> Response[list[AgentObject]]:
    """The tenant's agents and what each of them does now."""
    tenant_id, at, wanted = caller.tenant.tenant_id, Page(page, per), AgentFilter(queue_id=queue_id, disabled=disabled)
    async with services.db.connection() as conn:
        total = await agent_lists.count_agents(conn, tenant_id, wanted)
        lines = await agent_lists.list_agents(conn, tenant_id, wanted, per, at.offset)
    return Response([_agent(line) for line in lines], headers=page_headers(request.url, at, total))


@get("/{agent_id:int}", summary="Read an agent", responses=REFUSALS)
async def read_one(
    services: NamedDependency[Services], caller: NamedDependency[Caller], agent_id: AgentId
) -> AgentObject:
    """One agent, as he is now."""
    return await _agent_now(services, caller, agent_id)


@put("/{agent_id:int}/status", summary="Say what an agent does", responses=REFUSALS)
async def set_status(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    agent_id: AgentId,
    data: JSONBody[StatusChange],
) -> AgentObject:
    """Puts the agent into a status of his choice. One who becomes `available` is asked for what waits at once; what one
    who leaves was being asked for goes to others."""
    await set_agent_status(services.begin, caller.tenant, agent_id, data.status, data.reason)
    return await _agent_now(services, caller, agent_id)


@post("/{agent_id:int}/presence", status_code=200, summary="Say that an agent's desk is there", responses=REFUSALS)
async def set_presence(
    services: NamedDependency[Services], caller: NamedDependency[Caller], agent_id: AgentId, data: JSONBody[Presence]
) -> PresenceObject:
    """Keeps the agent from being taken for gone. Who once began to say this and stops becomes `unresponsive`."""
    until = await keep_presence(services.begin, caller.tenant, agent_id, data.seconds)
    return PresenceObject(agent_id, time(until))


@get("/{agent_id:int}/status_history", summary="Read what an agent did", responses=REFUSALS)
async def read_history(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    agent_id: AgentId,
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[HistoryObject]]:
    """The agent's statuses, the latest first."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        await _require(conn, tenant_id, agent_id)
        total = await agent_lists.count_history(conn, tenant_id, agent_id)
        history = await agent_lists.list_history(conn, tenant_id, agent_id, per, at.offset)
    return Response([_past(one) for one in history], headers=page_headers(request.url, at, total))


@get("/{agent_id:int}/offers", summary="List what an agent is asked to take", responses=REFUSALS)
async def list_offers(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    agent_id: AgentId,
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[OfferObject]]:
    """The agent's open offers, the most urgent first; he accepts or declines each at its chat."""
    tenant_id, at, now = caller.tenant.tenant_id, Page(page, per), services.clock()
    async with services.db.connection() as conn:
        await _require(conn, tenant_id, agent_id)
        total = await offers.count_offers(conn, tenant_id, agent_id)
        found = await offers.list_offers(conn, tenant_id, agent_id, per, at.offset)
    left = [max(0, int((offer.expires_at - now).total_seconds())) for offer in found]
    objects = [_offer(offer, seconds) for offer, seconds in zip(found, left, strict=True)]
    return Response(objects, headers=page_headers(request.url, at, total))


@get("/{agent_id:int}/chats", summary="List what an agent has in hand", responses=REFUSALS)
async def list_chats(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    agent_id: AgentId,
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[ChatInHandObject]]:
    """The open chats that the agent is in, those whose consumers wait longest first."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        await _require(conn, tenant_id, agent_id)
        total = await agent_lists.count_in_hand(conn, tenant_id, agent_id)
        chats = await agent_lists.list_in_hand(conn, tenant_id, agent_id, per, at.offset)
    return Response([_in_hand(chat) for chat in chats], headers=page_headers(request.url, at, total))


async def _require(conn: Connection, tenant_id: int, agent_id: int) -> None:
    if await find_agent(conn, tenant_id, agent_id) is None:
        raise Problem("not_found")


async def _agent_now(services: Services, caller: Caller, agent_id: int) -> AgentObject:
    async with services.db.connection() as conn:
        lines = await agent_lists.list_agents(conn, caller.tenant.tenant_id, AgentFilter(agent_id=agent_id), 1, 0)
    if not lines:
        raise Problem("not_found")
    return _agent(lines[0])


def _agent(line: AgentLine) -> AgentObject:
    agent = line.agent
    return AgentObject(
        agent.agent_id, agent.email, agent.first_name, agent.last_name, agent.avatar_url, agent.agent_number,
        agent.role, agent.disabled, StatusObject(line.status, line.reason), time(line.since) if line.since else None,
        is_online(line.status), line.wrap_ups > 0, line.chats, line.ready, line.load, line.places, line.leaving,
        time(line.present_until) if line.present_until else None, list(agent.skills), list(line.queue_ids),
    )  # fmt: skip


def _past(one: PastStatus) -> HistoryObject:
    ended_at, duration = None, None
    if one.ended_at is not None:
        ended_at, duration = time(one.ended_at), int((one.ended_at - one.at).total_seconds())
    return HistoryObject(one.status, one.reason, time(one.at), ended_at, duration)


def _offer(offer: OpenOffer, seconds_left: int) -> OfferObject:
    return OfferObject(
        offer.offer_id, offer.chat_id, time(offer.offered_at), time(offer.expires_at), seconds_left,
        time(offer.waiting_since), offer.queue_id, offer.queue_name, offer.last_words, offer.transfer_id,
        offer.transfer_kind, offer.transfer_note, offer.from_agent_id,
    )  # fmt: skip


def _in_hand(chat: ChatInHand) -> ChatInHandObject:
    last = None
    if chat.last_message_id is not None and chat.last_message_at is not None:
        last = LastMessage(
            chat.last_message_id,
            chat.last_message_sender or "",
            chat.last_message_body or "",
            time(chat.last_message_at),
        )
    return ChatInHandObject(
        chat.chat_id, chat.status, chat.participation, chat.end_user_id, chat.queue_id, chat.queue_name,
        time(chat.created_at), last, chat.unread, time(chat.waiting_since) if chat.waiting_since else None,
    )  # fmt: skip


router = Router(
    "/agents",
    route_handlers=[list_all, read_one, set_status, set_presence, read_history, list_offers, list_chats],
    tags=["Agents"],
)
