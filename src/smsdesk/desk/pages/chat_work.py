"""What an agent or a supervisor does with a chat: the line above the thread, its buttons, and the notes at its end."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath

from smsdesk.actions.dismiss_chat import dismiss_chat
from smsdesk.actions.join_chat import join_chat, leave_chat
from smsdesk.actions.resume_chat import resume_chat
from smsdesk.actions.take_chat import take_chat
from smsdesk.actions.take_over_chat import take_over_chat
from smsdesk.actions.wrap_up_chat import LONGEST_NOTES, WrapUp, wrap_up_chat
from smsdesk.desk.chat_standing import read_standing
from smsdesk.desk.chat_words import ending_words, state_words
from smsdesk.desk.render import fragment, page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.errors import Problem
from smsdesk.steps.desk_view import require_read
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.chat_work import find_ending, find_next_chat, list_present
from smsdesk.store.db import Connection
from smsdesk.store.person import find_person
from smsdesk.store.queues import dispositions_of, find_queue
from smsdesk.store.wrap_ups import WrapUpRow, find_last

WORK, SUPERVISE = {"right": "work"}, {"right": "supervise"}
STILL = timedelta(minutes=15)
"""For so long after the end of a chat without a time of its own the form for notes stands below it."""


async def values(desk: Desk, visitor: Visitor, chat_id: int) -> dict[str, Any]:
    """What `parts/chat_head.html` and `parts/wrap_up.html` show. Raises Problem `not_found`."""
    async with desk.db.connection() as conn:
        agent, chat = await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        stands = await read_standing(conn, visitor.tenant_id, agent, chat)
        noted = await find_last(conn, visitor.tenant_id, chat_id) if chat.ends_at else None
        person = await find_person(conn, visitor.tenant_id, chat_id)
        head = {
            "chat": chat, "person": person, "can": stands.can, "part": stands.part, "noted": noted,
            "said": await _said(conn, visitor, chat), "others": await _others(conn, visitor, chat),
            "transfer": stands.transfer, "mine": chat.agent_id == visitor.agent_id,
            "to": await _name_of_target(conn, visitor, stands.transfer),
        }  # fmt: skip
        return {
            "chat_id": chat_id, "head": head,
            "wrap_up": chat.agent_id == visitor.agent_id and _is_open(chat, noted, desk.clock()),
            "dispositions": await _dispositions(conn, visitor, chat), "longest_notes": LONGEST_NOTES,
            "next_chat": await find_next_chat(conn, visitor.tenant_id, visitor.agent_id, chat_id),
        }  # fmt: skip


def _is_open(chat: ChatRow, noted: WrapUpRow | None, now: Any) -> bool:
    if chat.ends_at is None or chat.assigned_at is None or chat.end_user_said_at is None:
        return False
    return noted.ended_at is None if noted else now - chat.ends_at < STILL


async def _said(conn: Connection, visitor: Visitor, chat: ChatRow) -> str:
    if chat.ends_at is None:
        return state_words(visitor.words, chat.status, chat.direction, _name(visitor, chat.agent_id))
    return ending_words(visitor.words, chat.status, *await find_ending(conn, visitor.tenant_id, chat.chat_id))


async def _others(conn: Connection, visitor: Visitor, chat: ChatRow) -> list[tuple[str, str]]:
    """Who else of the desk is in the chat, and what they do there. Agents read of no supervisor who only looks."""
    if chat.ends_at is not None:
        return []
    present = await list_present(conn, visitor.tenant_id, chat.chat_id)
    return [
        (_name(visitor, agent_id), status)
        for agent_id, status, _ in present
        if agent_id not in (chat.agent_id, visitor.agent_id) and (status != "monitoring" or visitor.may("supervise"))
    ]


async def _name_of_target(conn: Connection, visitor: Visitor, transfer: Any) -> str:
    if transfer is None:
        return ""
    if transfer.to_agent_id is not None:
        return _name(visitor, transfer.to_agent_id)
    queue = await find_queue(conn, visitor.tenant_id, transfer.to_queue_id)
    return queue.name if queue else ""


async def _dispositions(conn: Connection, visitor: Visitor, chat: ChatRow) -> tuple[str, ...]:
    if chat.ends_at is None or chat.agent_id != visitor.agent_id:
        return ()
    return await dispositions_of(conn, visitor.tenant_id, chat.queue_id)


def _name(visitor: Visitor, agent_id: int | None) -> str:
    agent = visitor.tenant.agents.get(agent_id) if agent_id is not None else None
    return (agent.name or agent.email) if agent else ""


async def back_to(desk: Desk, visitor: Visitor, chat_id: int) -> Response[Any]:
    """To the chat, or to the list where it is not his to see any more."""
    try:
        async with desk.db.connection() as conn:
            await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
    except Problem:
        return Response(b"", status_code=303, headers={"location": "/desk"})
    return Response(b"", status_code=303, headers={"location": f"/desk/chats/{chat_id}"})


async def require_seen(desk: Desk, visitor: Visitor, chat_id: int) -> None:
    """Raises Problem `not_found` for a chat that he may not see, whatever else would be wrong with his wish."""
    async with desk.db.connection() as conn:
        await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)


def asked(request: Request[Any, Any, Any], visitor: Visitor, template: str, shown: dict[str, Any]) -> Response[str]:
    """A question in a dialog, for scripts; as a page of its own, for a browser without them."""
    if "hx-request" in request.headers and "hx-boosted" not in request.headers:
        return fragment(visitor, template, **shown)
    return page(visitor, "question.html", here="/desk", question=template, **shown)


@get("/desk/chats/{chat_id:int}/head", opt=WORK)
async def head(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int]) -> Response[str]:
    """The line above the thread."""
    return fragment(visitor, "parts/chat_head.html", **await values(desk, visitor, chat_id))


@get("/desk/chats/{chat_id:int}/end", opt=WORK)
async def ask_end(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
    chat_id: FromPath[int],
) -> Response[str]:  # fmt: skip
    """Asks whether the chat is to end."""
    await require_seen(desk, visitor, chat_id)
    return asked(request, visitor, "parts/ask_end.html", {"chat_id": chat_id})


class Noted(msgspec.Struct):
    """What the agent notes after a chat. `done` is the button that he pressed."""

    disposition: str = ""
    notes: str = ""
    done: str = ""


@post("/desk/chats/{chat_id:int}/wrap-up", status_code=200, opt=WORK)
async def wrap_up(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
    data: Annotated[Noted, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Keeps what the agent notes; `done` frees his place."""
    await require_seen(desk, visitor, chat_id)
    disposition = data.disposition.strip() or None
    wanted = WrapUp(chat_id, visitor.agent_id, disposition, data.notes.strip(), bool(data.done))
    await wrap_up_chat(desk.begin, visitor.tenant, wanted)
    return await back_to(desk, visitor, chat_id)


Deed = Callable[[Desk, Visitor, int], Awaitable[None]]
DEEDS: dict[str, tuple[dict[str, str], Deed]] = {
    "take": (WORK, lambda desk, who, chat_id: take_chat(desk.begin, who.tenant, chat_id, who.agent_id)),
    "dismiss": (WORK, lambda desk, who, chat_id: dismiss_chat(desk.begin, who.tenant, chat_id, who.agent_id)),
    "resume": (WORK, lambda desk, who, chat_id: resume_chat(desk.begin, who.tenant, chat_id, who.agent_id)),
    "end": (WORK, lambda desk, who, chat_id: desk.finish_chat(who.tenant, chat_id, who.agent_id, only_his=True)),
    "monitor": (
        SUPERVISE, lambda desk, who, chat_id: join_chat(desk.begin, who.tenant, chat_id, who.agent_id, "monitoring"),
    ),
    "join": (
        SUPERVISE, lambda desk, who, chat_id: join_chat(desk.begin, who.tenant, chat_id, who.agent_id, "connected"),
    ),
    "leave": (SUPERVISE, lambda desk, who, chat_id: leave_chat(desk.begin, who.tenant, chat_id, who.agent_id)),
    "take-over": (SUPERVISE, lambda desk, who, chat_id: take_over_chat(desk.begin, who.tenant, chat_id, who.agent_id)),
}  # fmt: skip
"""What one button does, by the end of its path, and the right that it takes."""


def _route(name: str, right: dict[str, str], deed: Deed) -> HTTPRouteHandler:
    async def do(
        desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int]
    ) -> Response[Any]:
        await require_seen(desk, visitor, chat_id)
        await deed(desk, visitor, chat_id)
        desk.wake(visitor.tenant_id)  # a closing text may be in the queue now
        return await back_to(desk, visitor, chat_id)

    do.__name__ = name.replace("-", "_")
    return post(f"/desk/chats/{{chat_id:int}}/{name}", status_code=200, opt=right)(do)


PAGES: list[Any] = [head, ask_end, wrap_up, *(_route(name, *deed) for name, deed in DEEDS.items())]
