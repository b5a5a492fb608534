"""/apps/api/v1/chats/{chat_id}/...: an agent accepts, declines, takes, sets aside, brings back and wraps up a chat; a
supervisor or a program gives him one."""

import msgspec
from litestar import Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from smsdesk.actions.accept_offer import accept_offer
from smsdesk.actions.assign_chat import Assignment, assign_chat
from smsdesk.actions.decline_offer import decline_offer
from smsdesk.actions.dismiss_chat import dismiss_chat
from smsdesk.actions.resume_chat import resume_chat
from smsdesk.actions.take_chat import take_chat
from smsdesk.actions.wrap_up_chat import WrapUp, wrap_up_chat
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_change import CHANGES, ByAgent, ChatId, Id, chat_now
from smsdesk.api.v1.chat_object import ChatObject, time
from smsdesk.api.v1.chats import REFUSALS
from smsdesk.errors import Problem
from smsdesk.store.wrap_ups import find_last


class NewAgent(msgspec.Struct):
    """Who is to have the chat. `assigned_by_user_id` is a supervisor; without it the API's own word counts. `force`
    gives it to one who is away, or has all the chats that he may have."""

    agent_id: Id
    assigned_by_user_id: Id | None = None
    force: bool = False


class Resumption(msgspec.Struct):
    """Who gets the chat; without an agent it goes back into its queue."""

    agent_id: Id | None = None


class WrapUpChange(msgspec.Struct):
    """What the agent notes; what is absent stays. `done` ends his time for it."""

    agent_id: Id
    disposition: str | None = None
    notes: str | None = None
    done: bool = False


class WrapUpObject(msgspec.Struct):
    """An agent's work after a chat. `due_at` is when it ends by itself, where it has not ended."""

    chat_id: int
    agent_id: int
    started_at: str
    due_at: str | None
    ended_at: str | None
    disposition: str | None
    notes: str


@post("/accept", status_code=200, summary="Accept an offer", responses=CHANGES)
async def accept(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Gives the agent the chat that he is asked to take; of several who accept at once one gets it."""
    await accept_offer(services.begin, caller.tenant, chat_id, data.agent_id)
    return await chat_now(services, caller, chat_id)


@post("/decline", status_code=200, summary="Decline an offer", responses=CHANGES)
async def decline(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Says no to an offer; others are asked at once."""
    await decline_offer(services.begin, caller.tenant, chat_id, data.agent_id)
    return await chat_now(services, caller, chat_id)


@post("/take", status_code=200, summary="Take a waiting chat", responses=CHANGES)
async def take(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Gives the agent a waiting chat of one of his queues without an offer; a supervisor may take any."""
    await take_chat(services.begin, caller.tenant, chat_id, data.agent_id)
    return await chat_now(services, caller, chat_id)


@post("/assign", status_code=200, summary="Give a chat to an agent", responses=CHANGES)
async def assign(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[NewAgent]
) -> ChatObject:
    """Gives an open chat to an agent, whoever had it."""
    wanted = Assignment(chat_id, data.agent_id, data.assigned_by_user_id, data.force)
    await assign_chat(services.begin, caller.tenant, wanted)
    return await chat_now(services, caller, chat_id)


@post("/dismiss", status_code=200, summary="Set a chat aside", responses=CHANGES)
async def dismiss(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Sets a chat aside whose consumer has gone silent. It keeps its id, and comes back with his next text."""
    await dismiss_chat(services.begin, caller.tenant, chat_id, data.agent_id)
    return await chat_now(services, caller, chat_id)


@post("/resume", status_code=200, summary="Bring a dismissed chat back", responses=CHANGES)
async def resume(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[Resumption]
) -> ChatObject:
    """Brings a dismissed chat back to an agent, or into its queue."""
    await resume_chat(services.begin, caller.tenant, chat_id, data.agent_id)
    return await chat_now(services, caller, chat_id)


@get("/wrap_up", summary="Read the wrap-up of a chat", responses=REFUSALS)
async def read_wrap_up(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId
) -> WrapUpObject:
    """What the agent with whom the chat ended has noted, and the time that he has for it."""
    return await _wrap_up(services, caller, chat_id)


@put("/wrap_up", status_code=200, summary="Note what a chat was about", responses=CHANGES)
async def write_wrap_up(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[WrapUpChange]
) -> WrapUpObject:
    """Writes down disposition and notes of a chat that has ended; `done` frees the agent for the next one."""
    wanted = WrapUp(chat_id, data.agent_id, data.disposition, data.notes, data.done)
    await wrap_up_chat(services.begin, caller.tenant, wanted)
    return await _wrap_up(services, caller, chat_id)


async def _wrap_up(services: Services, caller: Caller, chat_id: int) -> WrapUpObject:
    async with services.db.connection() as conn:
        found = await find_last(conn, caller.tenant.tenant_id, chat_id)
    if found is None:
        raise Problem("not_found")
    return WrapUpObject(
        found.chat_id, found.agent_id, time(found.started_at), time(found.due_at) if found.due_at else None,
        time(found.ended_at) if found.ended_at else None, found.disposition, found.notes,
    )  # fmt: skip


router = Router(
    "/chats/{chat_id:int}",
    route_handlers=[accept, decline, take, assign, dismiss, resume, read_wrap_up, write_wrap_up],
    tags=["Agents at work"],
)
