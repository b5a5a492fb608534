"""/apps/api/v1/chats: the chats of a tenant, by what they are and by the words that were said in them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from smsdesk.api.pages import Page, next_link, page_headers
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import ChatObject, chat_object
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, PageNumber, PerPage, read_phone
from smsdesk.domain.chat_life import ENDED, OPEN
from smsdesk.errors import Problem
from smsdesk.store.chat_search import ChatFilter, Order, count_chats, list_chats, read_search

STATUSES = OPEN + ENDED
A_TIME = "A time with its zone, such as 2021-10-04T17:20:51Z."
LONGEST = 255


def _id(description: str) -> Any:
    return QueryParameter(ge=1, le=MOST_ID, description=description)


def _words(description: str) -> Any:
    return QueryParameter(max_length=LONGEST, description=description)


def _time(name: str) -> Any:
    return QueryParameter(name=name, description=A_TIME)


Statuses = Annotated[list[str] | None, QueryParameter(description="Only chats of this status; may be repeated.")]
Phone = Annotated[str | None, QueryParameter(description="Only chats with this phone.")]
OurNumber = Annotated[str | None, QueryParameter(description="Only chats over this number of ours.")]
EndUserId = Annotated[int | None, _id("Only chats with this consumer, over any of his phones.")]
AgentId = Annotated[int | None, _id("Only chats that this agent has, or had last.")]
QueueId = Annotated[int | None, _id("Only chats that are in this queue, or were in it last.")]
Lang = Annotated[str | None, _words("Only chats in this language.")]
TicketId = Annotated[str | None, _words("Only chats about this ticket, as it was named in the send.")]
Direction = Annotated[Literal["inbound", "outbound"] | None, QueryParameter(description="Who began it.")]
CreatedFrom = Annotated[datetime | None, _time("created_at[from]")]
CreatedTo = Annotated[datetime | None, _time("created_at[to]")]
EndedFrom = Annotated[datetime | None, _time("ends_at[from]")]
EndedTo = Annotated[datetime | None, _time("ends_at[to]")]
Unread = Annotated[bool | None, QueryParameter(description="Open chats whose consumer waits for an answer, or others.")]
Query = Annotated[
    str | None,
    _words(
        'Words of one message: all of them, "a phrase", this or that, -not this. Found seconds after they are said.'
    ),
]
After = Annotated[
    int | None,
    _id("Only what comes behind this chat: a long list, each page with the last id of the one before. Not counted."),
]
SortDirection = Annotated[Literal["ASC", "DESC"], QueryParameter(description="By time of creation.")]


def read_filter(
    caller: NamedDependency[Caller],
    status: Statuses = None,
    number: Phone = None,
    end_user_id: EndUserId = None,
    outbound_number: OurNumber = None,
    agent_id: AgentId = None,
    queue_id: QueueId = None,
    lang: Lang = None,
    direction: Direction = None,
    ticket_id: TicketId = None,
    created_from: CreatedFrom = None,
    created_to: CreatedTo = None,
    ended_from: EndedFrom = None,
    ended_to: EndedTo = None,
    unread: Unread = None,
    q: Query = None,
    after: After = None,
) -> ChatFilter:
    """The chats that a request asks for."""
    return ChatFilter(
        statuses=_statuses(status),
        number=read_phone(number, "number", caller),
        end_user_id=end_user_id,
        outbound_number=read_phone(outbound_number, "outbound_number", caller),
        agent_id=agent_id,
        queue_id=queue_id,
        lang=_plain(lang, "lang"),
        direction=direction,
        ticket_id=_plain(ticket_id, "ticket_id"),
        created_from=_zoned(created_from, "created_at[from]"),
        created_to=_zoned(created_to, "created_at[to]"),
        ended_from=_zoned(ended_from, "ends_at[from]"),
        ended_to=_zoned(ended_to, "ends_at[to]"),
        unread=unread,
        q=_plain(q, "q"),
        after=after,
    )


@get(
    "/",
    summary="List and search chats",
    responses=REFUSALS,
    dependencies={"wanted": Provide(read_filter, sync_to_thread=False)},
)
async def list_all(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    wanted: NamedDependency[ChatFilter],
    request: Request[Any, Any, Any],
    page: PageNumber = 1,
    per: PerPage = 100,
    sort_direction: SortDirection = "DESC",
) -> Response[list[ChatObject]]:
    """Chats in pages, the newest first. The header `total` counts all, `link` names the neighbouring pages."""
    tenant_id, newest_first, at = caller.tenant.tenant_id, sort_direction == "DESC", Page(page, per)
    async with services.db.connection() as conn:
        search = await read_search(conn, tenant_id, wanted, newest_first=newest_first)
        order = Order(newest_first, per, 0 if wanted.after else at.offset)
        chats = await list_chats(conn, tenant_id, search, order)
        total = None if wanted.after else await count_chats(conn, search)
    last = chats[-1].chat_id if len(chats) == per else None
    headers = next_link(request.url, last) if total is None else page_headers(request.url, at, total)
    return Response([chat_object(chat) for chat in chats], headers=headers)


def _statuses(wanted: list[str] | None) -> tuple[str, ...]:
    if wanted is not None and not set(wanted) <= set(STATUSES):
        raise Problem("parameter_invalid", f"status must be one of {', '.join(STATUSES)}")
    return tuple(wanted or ())


def _plain(value: str | None, name: str) -> str | None:
    if value is not None and "\0" in value:
        raise Problem("parameter_invalid", f"{name} has U+0000 in it")
    return value


def _zoned(moment: datetime | None, name: str) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise Problem("parameter_invalid", f"{name} needs its time zone, such as Z at its end")
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # a zone leads out of the years 1 to 9999
        raise Problem("parameter_invalid", f"{name} is out of range") from None


router = Router("/chats", route_handlers=[list_all], tags=["Chats"])
