"""/apps/api/v1/chats/{chat_id}/...: a supervisor looks in, speaks, whispers, leaves, takes over."""

from typing import Annotated, Literal

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from smsdesk.actions.add_note import LONGEST, add_note
from smsdesk.actions.join_chat import join_chat, leave_chat
from smsdesk.actions.take_over_chat import take_over_chat
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_change import CHANGES, ByAgent, ChatId, Id, chat_now
from smsdesk.api.v1.chat_object import ChatObject, time


class NewNote(msgspec.Struct):
    """A line for the desk, and who writes it."""

    agent_id: Id
    content: Annotated[str, msgspec.Meta(max_length=LONGEST)]


class NoteObject(msgspec.Struct):
    """A note as it was written down. It stands among the chat's messages, and is never sent."""

    id: int
    chat_id: int
    sender: Literal["note"]
    agent_id: int
    content: str
    created_at: str


@post("/monitor", status_code=200, summary="Look into a chat", responses=CHANGES)
async def monitor(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Brings a supervisor into the chat as one who reads, and may note. The consumer is told nothing."""
    await join_chat(services.begin, caller.tenant, chat_id, data.agent_id, "monitoring")
    return await chat_now(services, caller, chat_id)


@post("/join", status_code=200, summary="Join a chat", responses=CHANGES)
async def join(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Brings a supervisor into the chat beside its agent: he may write to the consumer too."""
    await join_chat(services.begin, caller.tenant, chat_id, data.agent_id, "connected")
    return await chat_now(services, caller, chat_id)


@post("/leave", status_code=200, summary="Leave a chat", responses=CHANGES)
async def leave(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Takes a supervisor out of a chat that he looked into or joined."""
    await leave_chat(services.begin, caller.tenant, chat_id, data.agent_id)
    return await chat_now(services, caller, chat_id)


@post("/take_over", status_code=200, summary="Take a chat over", responses=CHANGES)
async def take_over(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ByAgent]
) -> ChatObject:
    """Makes the chat the supervisor's own; its agent is out of it."""
    await take_over_chat(services.begin, caller.tenant, chat_id, data.agent_id)
    return await chat_now(services, caller, chat_id)


@post("/notes", status_code=201, summary="Write a note", responses=CHANGES)
async def write_note(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[NewNote]
) -> NoteObject:
    """Adds a line that the desk reads and the consumer never sees; a supervisor whispers so."""
    message_id, at = await add_note(services.begin, caller.tenant, chat_id, data.agent_id, data.content)
    return NoteObject(message_id, chat_id, "note", data.agent_id, data.content, time(at))


router = Router(
    "/chats/{chat_id:int}", route_handlers=[monitor, join, leave, take_over, write_note], tags=["Supervisors"]
)
