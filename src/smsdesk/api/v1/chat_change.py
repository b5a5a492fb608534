"""What all changes of a chat share: who says so, how it is refused, and the chat as it is after it."""

from typing import Annotated

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter

from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import ChatObject, chat_object
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, ErrorObject
from smsdesk.errors import Problem
from smsdesk.store.chats import find_chat

ChatId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The chat's `id`.")]
Id = Annotated[int, msgspec.Meta(ge=1, le=MOST_ID)]
CHANGES = {
    **REFUSALS,
    403: ResponseSpec(ErrorObject, description="The agent's role does not allow it."),
    409: ResponseSpec(
        ErrorObject, description="Not as things stand: somebody was first, or the status does not allow it."
    ),
}


class ByAgent(msgspec.Struct):
    """The agent who does it."""

    agent_id: Id


async def chat_now(services: Services, caller: Caller, chat_id: int) -> ChatObject:
    """The chat as it is after a change."""
    async with services.db.connection() as conn:
        chat = await find_chat(conn, caller.tenant.tenant_id, chat_id)
    if chat is None:
        raise Problem("not_found")
    return chat_object(chat)
