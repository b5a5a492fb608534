"""/apps/api/v1/chats/{chat_id}/transfers: a chat goes to another agent, or to another queue."""

from typing import Annotated, Literal

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from smsdesk.actions.settle_transfer import Decision, settle_transfer
from smsdesk.actions.transfer_chat import LONGEST_NOTE, TransferRequest, transfer_chat
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_change import CHANGES, ByAgent, ChatId, Id, chat_now
from smsdesk.api.v1.chat_object import ChatObject
from smsdesk.api.v1.chats import MOST_ID

TransferId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The transfer's `id`.")]


class TransferWish(msgspec.Struct):
    """Who gives the chat on, and to whom: to an agent or to a queue. `cold`: he lets go of it at once. `warm`: he keeps
    it, the other comes in beside him, and one of them completes it. `force` asks an agent who is away, or has all the
    chats that he may have."""

    from_agent_id: Id | None = None
    to_agent_id: Id | None = None
    to_queue_id: Id | None = None
    kind: Literal["cold", "warm"] = "cold"
    note: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE)] = ""
    force: bool = False


@post("/", status_code=201, summary="Transfer a chat", responses=CHANGES)
async def transfer(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[TransferWish]
) -> ChatObject:
    """Begins a transfer: the last of the chat's `transfers`. Whom it is meant for accepts it as he does any offer."""
    wanted = TransferRequest(
        chat_id, data.kind, data.from_agent_id, data.to_agent_id, data.to_queue_id, data.note, data.force
    )
    await transfer_chat(services.begin, caller.tenant, wanted)
    return await chat_now(services, caller, chat_id)


@post("/{transfer_id:int}/complete", status_code=200, summary="Complete a warm transfer", responses=CHANGES)
async def complete(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    chat_id: ChatId,
    transfer_id: TransferId,
    data: JSONBody[ByAgent],
) -> ChatObject:
    """Gives the chat to whom the transfer brought in, by the word of either, or of a supervisor."""
    await settle_transfer(services.begin, caller.tenant, Decision(chat_id, transfer_id, "complete", data.agent_id))
    return await chat_now(services, caller, chat_id)


@post("/{transfer_id:int}/cancel", status_code=200, summary="Cancel a transfer", responses=CHANGES)
async def cancel(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    chat_id: ChatId,
    transfer_id: TransferId,
    data: JSONBody[ByAgent],
) -> ChatObject:
    """Calls the transfer off, by the word of the first agent or of a supervisor: the chat is the first agent's."""
    await settle_transfer(services.begin, caller.tenant, Decision(chat_id, transfer_id, "cancel", data.agent_id))
    return await chat_now(services, caller, chat_id)


@post("/{transfer_id:int}/decline", status_code=200, summary="Decline a transfer", responses=CHANGES)
async def decline(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    chat_id: ChatId,
    transfer_id: TransferId,
    data: JSONBody[ByAgent],
) -> ChatObject:
    """Says no to a transfer, by the word of the agent whom it is meant for."""
    await settle_transfer(services.begin, caller.tenant, Decision(chat_id, transfer_id, "decline", data.agent_id))
    return await chat_now(services, caller, chat_id)


router = Router(
    "/chats/{chat_id:int}/transfers",
    route_handlers=[transfer, complete, cancel, decline],
    tags=["Agents at work"],
)
