"""/apps/api/v1/chats: reading chats, answering in them, ending them."""

from datetime import UTC, datetime
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
from smsdesk.domain.chat import ENDED_STATUSES, OPEN_STATUSES
from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.domain.price import written
from smsdesk.domain.send import read_body
from smsdesk.errors import Problem
from smsdesk.store.chats import ChatFilter, count_chats, find_chat, list_chats
from smsdesk.store.messages import Message, count_messages, list_messages

MOST_ID = 2**63 - 1
ChatId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The chat's `id`.")]
PageNumber = Annotated[int, QueryParameter(ge=1, le=1_000_000, description="Which page, from 1.")]
PerPage = Annotated[int, QueryParameter(ge=1, le=1000, description="How many on a page.")]
A_TIME = "A time with its zone, such as 2021-10-04T17:20:51Z."


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
    sender: Literal["api", "agent", "system", "end_user"]
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


class NewMessage(msgspec.Struct):
    """The words of an answer. `type` is `text`."""

    content: str
    type: str = "text"


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


@get("/", summary="List chats", responses=REFUSALS)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    status: Annotated[str | None, QueryParameter(description="Only chats of this status.")] = None,
    number: Annotated[str | None, QueryParameter(description="Only chats with this consumer.")] = None,
    outbound_number: Annotated[str | None, QueryParameter(description="Only chats over this number of ours.")] = None,
    created_from: Annotated[datetime | None, QueryParameter(name="created_at[from]", description=A_TIME)] = None,
    created_to: Annotated[datetime | None, QueryParameter(name="created_at[to]", description=A_TIME)] = None,
    sort_direction: Annotated[Literal["ASC", "DESC"], QueryParameter(description="By time of creation.")] = "DESC",
) -> Response[list[ChatObject]]:
    """Chats in pages, the newest first. The header `total` counts all, `link` names the neighbouring pages."""
    if status is not None and status not in OPEN_STATUSES + ENDED_STATUSES:
        raise Problem("parameter_invalid", f"status must be one of {', '.join(OPEN_STATUSES + ENDED_STATUSES)}")
    wanted = ChatFilter(
        status,
        _number(number, "number", caller),
        _number(outbound_number, "outbound_number", caller),
        _zoned(created_from, "created_at[from]"),
        _zoned(created_to, "created_at[to]"),
    )
    tenant_id, at = caller.tenant.tenant_id, Page(page, per)
    async with services.db.connection() as conn:
        total = await count_chats(conn, tenant_id, wanted)
        chats = await list_chats(
            conn, tenant_id, wanted, newest_first=sort_direction == "DESC", limit=per, offset=at.offset
        )
    return Response([chat_object(chat) for chat in chats], headers=page_headers(request.url, at, total))


@get("/{chat_id:int}", summary="Read a chat", responses=REFUSALS)
async def read_one(services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId) -> ChatObject:
    """One chat, as it is now."""
    async with services.db.connection() as conn:
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
    async with services.db.connection() as conn:
        if await find_chat(conn, tenant_id, chat_id) is None:
            raise Problem("not_found")
        total = await count_messages(conn, tenant_id, chat_id)
        messages = await list_messages(conn, tenant_id, chat_id, per, at.offset)
    return Response([_message(one) for one in messages], headers=page_headers(request.url, at, total))


@post("/{chat_id:int}/message", status_code=200, summary="Answer as an agent", responses=REFUSALS)
async def answer(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, data: JSONBody[NewAnswer]
) -> MessageObject:
    """Sends an agent's words to the consumer. An agent who answers a chat that nobody has yet takes it."""
    if data.message.type != "text":
        raise Problem("parameter_invalid", "message.type must be text")
    wanted = Answer(chat_id, data.from_user_id, read_body(data.message.content), caller.credential.credential_id)
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


def _number(raw: str | None, name: str, caller: Caller) -> str | None:
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


def _zoned(moment: datetime | None, name: str) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise Problem("parameter_invalid", f"{name} needs its time zone, such as Z at its end")
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # a zone leads out of the years 1 to 9999
        raise Problem("parameter_invalid", f"{name} is out of range") from None


router = Router("/chats", route_handlers=[list_all, read_one, read_messages, answer, change], tags=["Chats"])
