"""The agent's screen: his chats on the left, the open one in the middle, its person on the right."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from smsdesk.desk.pages import chat_giving, chat_list, chat_work, me, person, thread
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor

WORK = {"right": "work"}


@get("/desk", opt=WORK)
async def nothing_open(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], tab: FromQuery[str] = "mine",
    left: FromQuery[int] = 0,
) -> Response[Any]:  # fmt: skip
    """The screen before a chat is opened; `left` is one that was open and is not his to see any more."""
    values = await chat_list.values(desk, visitor, None, tab)
    return page(visitor, "work.html", here="/desk", chat_id=None, left=left, **values)


@get("/desk/chats/{chat_id:int}", opt=WORK)
async def one_open(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
    tab: FromQuery[str] = "mine",
) -> Response[Any]:  # fmt: skip
    """The screen with a chat open; not found where he may not see it."""
    values = await thread.values(desk, visitor, chat_id)
    values |= await person.values(desk, visitor, chat_id)
    values |= await chat_list.values(desk, visitor, chat_id, tab)
    return page(visitor, "work.html", here="/desk", **(values | {"chat_id": chat_id}))


PAGES = [
    nothing_open, one_open, *me.PAGES, *chat_list.PAGES, *thread.PAGES, *person.PAGES, *chat_work.PAGES,
    *chat_giving.PAGES,
]  # fmt: skip
