"""/apps/api/v1/chats/{chat_id}: reading a chat, answering in it, ending it."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter

from smsdesk.actions.answer_chat import Answer
from smsdesk.api.pages import Page, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import ChatObject, chat_object, time
from smsdesk.api.v1.new_message import NewMessage, read_message
from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.domain.price import written
from smsdesk.errors import Problem
from smsdesk.store.chats import find_chat, has_chat
from smsdesk.store.messages import Message, count_messages, list_messages

MOST_ID = 2**63 - 1
ChatId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The chat's `id`.")]
PageNumber = Annotated[int, QueryParameter(ge=1, le=1_000_000, description="Which page, from 1.")]
PerPage = Annotated[int, QueryParameter(ge=1, le=1000, description="How many on a page.")]


class ErrorObject(msgspec.Struct):
    """Every refusal: what was wrong, in one sentence."""

    message: str


REFUSALS = {
    400: ResponseSpec(ErrorObject, description="The request cannot be done; nothing was changed."),
    401: ResponseSpec(ErrorObject, description="The subdomain and token are not known."),
    404: ResponseSpec(ErrorObject, description="There is no such thing in this tenant."),
    429: ResponseSpec(ErrorObject, description="Too many requests; Retry-After tells when to come back."),
    503: ResponseSpec(ErrorObject, description="Busy, or the database is away."),
}


class MessageObject(msgspec.Struct):
    """What one side said, and where its text is or how it ended. `delivered_segments` counts those that have arrived:
    a text of which 2 of 3 have is not delivered. `price` is a decimal number as text, once a carrier took it."""

    id: int
    chat_id: int
    sender: Literal["api", "agent", "system", "end_user", "note"]
    agent_id: int | None
    content: str
    created_at: str
    status: str | None
    status_at: str | None
    reason: str | None
    carrier_code: str | None
    encoding: str
    segments: int
    delivered_segments: int | None
    carrier: str | None
    price: str | None
    currency: str | None


class NewAnswer(msgspec.Struct):
    """An answer by an agent of the tenant."""

    from_user_id: int
    message: NewMessage


class ChatChange(msgspec.Struct):
    """What a chat shall become. `finished` is the one status that can be asked for."""

    status: str


class ChatPatch(msgspec.Struct):
    """The end of a chat, and who ends it."""

    chat: ChatChange
    finished_by_user_id: int | None = None


@get("/{chat_id:int}", summary="Read a chat", responses=REFUSALS)
async def read_one(services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId) -> ChatObject:
    """One chat, as it is now."""
    async with services.db.one_plan() as conn:
        chat = await find_chat(conn, caller.tenant.tenant_id, chat_id)
    if chat is None:
        raise Problem("not_found")
    return chat_object(chat)


@get("/{chat_id:int}/messages", summary="Read what was said", responses=REFUSALS)
async def read_messages(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    chat_id: ChatId,
    page: PageNumber = 1,
    per: PerPage = 100,
) -> Response[list[MessageObject]]:
    """A chat's messages in the order in which they were said, each text with its status."""
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.one_plan() as conn:
        if not await has_chat(conn, tenant_id, chat_id):
            raise Problem("not_found")
        total = await count_messages(conn, tenant_id, chat_id)
        messages = await list_messages(conn, tenant_id, chat_id, per, at.offset)
    return Response([_message(one) for one in messages], headers=page_headers(request.url, at, total))


@post("/{chat_id:int}/message", status_code=200, summary="Answer as an agent", responses=REFUSALS)
async def answer(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[NewAnswer]
) -> MessageObject:
    """Sends an agent's words to the consumer. An agent who answers a chat that nobody has yet takes it."""
    body, media_ids = read_message(data.message)
    wanted = Answer(chat_id, data.from_user_id, body, caller.credential.credential_id, media_ids)
    text = await services.answer_chat(caller.tenant, wanted)
    services.wake(caller.tenant.tenant_id)
    # Told from what was written: a read that fails after the commit would look like an answer that was not taken.
    return MessageObject(
        text.message_id, text.chat_id, "agent", text.agent_id, text.body, time(text.at), "queued", time(text.at), None,
        None, text.segments.encoding, len(text.segments.parts), 0, None, None, None,
    )  # fmt: skip


@patch("/{chat_id:int}", summary="End a chat", responses=REFUSALS)
async def change(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[ChatPatch]
) -> ChatObject:
    """Finishes a chat; the next send to its consumer opens a new one."""
    if data.chat.status != "finished":
        raise Problem("parameter_invalid", "chat.status must be finished")
    await services.finish_chat(caller.tenant, chat_id, data.finished_by_user_id)
    async with services.db.connection() as conn:
        chat = await find_chat(conn, caller.tenant.tenant_id, chat_id)
    if chat is None:
        raise Problem("not_found")
    return chat_object(chat)


def _message(one: Message) -> MessageObject:
    return MessageObject(
        one.message_id, one.chat_id, one.sender, one.agent_id, one.body, time(one.created_at), one.state,  # type: ignore[arg-type]
        time(one.state_at) if one.state_at else None, one.reason, one.code, one.encoding, one.parts,
        one.delivered, one.carrier, None if one.price is None else written(one.price), one.currency,
    )  # fmt: skip


def read_phone(raw: str | None, name: str, caller: Caller) -> str | None:
    """A phone number in a request, or one of the tenant's short codes; raises Problem where it is neither."""
    if raw is None:
        return None
    # A plus that was not escaped in the query arrives as a space.
    written = f"+{raw.strip()}" if raw[:1] == " " else raw
    if written.strip() in caller.tenant.numbers:
        return written.strip()
    number = read_number(written, frozenset(caller.tenant.settings.allowed_regions))
    if isinstance(number, NumberProblem):
        raise Problem("parameter_invalid", f"{name} is not a phone number of an allowed region")
    return number


router = Router("/chats", route_handlers=[read_one, read_messages, answer, change], tags=["Chats"])
