"""A chat's thread: what was said and what happened, the last of it first, and what is new as it comes."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from smsdesk.desk.pages import chat_work, composer, composer_more
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.state_words import state_names
from smsdesk.desk.thread_reading import news, place, read_thread
from smsdesk.desk.visitor import Visitor
from smsdesk.errors import Problem
from smsdesk.steps.desk_view import require_read
from smsdesk.store.desk_chats import mark_read
from smsdesk.store.thread import count_earlier, read_body
from smsdesk.store.trace import find_trace

WORK = {"right": "work"}


async def values(desk: Desk, visitor: Visitor, chat_id: int) -> dict[str, Any]:
    """What `parts/thread.html` shows; raises Problem `not_found` where he may not read the chat."""
    async with desk.db.one_plan() as conn:
        thread = await read_thread(desk, visitor, conn, chat_id)
        form = await composer.values(desk, visitor, conn, thread)
        earlier = await count_earlier(conn, visitor.tenant_id, thread.standing.chat.end_user_id, chat_id)
        await mark_read(conn, visitor.tenant_id, chat_id, visitor.agent_id, desk.clock())
    return {"thread": thread, "earlier_chats": earlier, **form,
            **await chat_work.values(desk, visitor, chat_id)}  # fmt: skip


@get("/desk/chats/{chat_id:int}/thread", opt=WORK)
async def show(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
    before: FromQuery[str] = "", have: FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """With `before`, the page before that place; with `have`, what is new; else the last page."""
    async with desk.db.one_plan() as conn:
        thread = await read_thread(desk, visitor, conn, chat_id, place(before))
        if not before:
            form = await composer.values(desk, visitor, conn, thread)
            await mark_read(conn, visitor.tenant_id, chat_id, visitor.agent_id, desk.clock())
    if before:
        return fragment(visitor, "parts/thread_earlier.html", chat_id=chat_id, thread=thread)
    return news(visitor, thread, have, **form)


@get("/desk/chats/{chat_id:int}/messages/{message_id:int}", opt=WORK)
async def whole_message(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], message_id: FromPath[int]
) -> Response[str]:
    """All words of a long message."""
    async with desk.db.connection() as conn:
        await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        body = await read_body(conn, visitor.tenant_id, chat_id, message_id)
    if body is None:
        raise Problem("not_found")
    return fragment(visitor, "parts/message_body.html", body=body)


@get("/desk/chats/{chat_id:int}/messages/{message_id:int}/why", opt=WORK)
async def why(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], message_id: FromPath[int]
) -> Response[str]:
    """Everything that is known of a text."""
    async with desk.db.connection() as conn:
        await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        trace = await find_trace(conn, visitor.tenant_id, message_id)
    if trace is None or trace.chat_id != chat_id:
        raise Problem("not_found")
    return fragment(visitor, "parts/message_why.html", trace=trace, names=state_names(visitor.words))


PAGES = [show, whole_message, why, *composer.PAGES, *composer_more.PAGES]
