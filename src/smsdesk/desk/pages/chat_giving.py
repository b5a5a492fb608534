"""A chat is given on: by its agent in a transfer, by a supervisor to whom he likes."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from smsdesk.actions.assign_chat import Assignment, assign_chat
from smsdesk.actions.settle_transfer import Decision, settle_transfer
from smsdesk.actions.transfer_chat import LONGEST_NOTE, TransferRequest, transfer_chat
from smsdesk.desk.chat_standing import read_standing
from smsdesk.desk.chat_words import status_words
from smsdesk.desk.pages.chat_work import SUPERVISE, WORK, asked, back_to, require_seen
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.errors import Problem
from smsdesk.steps.desk_view import require_read
from smsdesk.store.chat_work import list_colleagues
from smsdesk.store.queue_counts import list_live

MOST_AGENTS, MOST_QUEUES = 50, 200
"""Shown in a dialog; more agents are found by the first letters of a name."""


class Target(msgspec.Struct):
    """Whom a chat is to go to: `agent-7` or `queue-3`; and how."""

    target: str = ""
    kind: str = "cold"
    note: str = ""
    force: str = ""


@get("/desk/chats/{chat_id:int}/transfer", opt=WORK)
async def ask_transfer(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
    chat_id: FromPath[int],
) -> Response[str]:  # fmt: skip
    """Asks to whom the chat is to go."""
    shown = await _targets(desk, visitor, chat_id, "")
    return asked(request, visitor, "parts/transfer.html", {**shown, "longest_note": LONGEST_NOTE})


@get("/desk/chats/{chat_id:int}/assign", opt=SUPERVISE)
async def ask_assign(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
    chat_id: FromPath[int],
) -> Response[str]:  # fmt: skip
    """Asks whose the chat is to be."""
    return asked(request, visitor, "parts/assign.html", await _targets(desk, visitor, chat_id, ""))


@get("/desk/chats/{chat_id:int}/targets", opt=WORK)
async def targets(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], q: FromQuery[str] = ""
) -> Response[str]:
    """The agents whose names have these words in them."""
    return fragment(visitor, "parts/targets.html", **await _targets(desk, visitor, chat_id, q))


@post("/desk/chats/{chat_id:int}/transfer", status_code=200, opt=WORK)
async def transfer(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
    data: Annotated[Target, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Begins the transfer."""
    await require_seen(desk, visitor, chat_id)
    agent_id, queue_id = _read(data.target, visitor)
    wanted = TransferRequest(
        chat_id, data.kind, visitor.agent_id, agent_id, queue_id, data.note.strip(), bool(data.force),
        at_desk=True,
    )  # fmt: skip
    await transfer_chat(desk.begin, visitor.tenant, wanted)
    return await back_to(desk, visitor, chat_id)


@post("/desk/chats/{chat_id:int}/assign", status_code=200, opt=SUPERVISE)
async def assign(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
    data: Annotated[Target, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Gives the chat to an agent, whoever had it."""
    await require_seen(desk, visitor, chat_id)
    agent_id, _ = _read(data.target, visitor)
    if agent_id is None:
        raise Problem("parameter_invalid", visitor.words.say("Choose an agent."))
    await assign_chat(desk.begin, visitor.tenant, Assignment(chat_id, agent_id, visitor.agent_id, bool(data.force)))
    return await back_to(desk, visitor, chat_id)


def _settling(decision: str) -> Any:
    async def do(
        desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
        transfer_id: FromPath[int],
    ) -> Response[Any]:  # fmt: skip
        await require_seen(desk, visitor, chat_id)
        wanted = Decision(chat_id, transfer_id, decision, visitor.agent_id)
        await settle_transfer(desk.begin, visitor.tenant, wanted)
        return await back_to(desk, visitor, chat_id)

    do.__name__ = f"{decision}_transfer"
    path = f"/desk/chats/{{chat_id:int}}/transfers/{{transfer_id:int}}/{decision}"
    return post(path, status_code=200, opt=WORK)(do)


def _read(target: str, visitor: Visitor) -> tuple[int | None, int | None]:
    kind, _, raw = target.partition("-")
    if kind not in ("agent", "queue") or not raw.isdecimal() or len(raw) > 18:
        raise Problem("parameter_invalid", visitor.words.say("Choose to whom the chat is to go."))
    return (int(raw), None) if kind == "agent" else (None, int(raw))


async def _targets(desk: Desk, visitor: Visitor, chat_id: int, search: str) -> dict[str, Any]:
    """Who and what the chat can go to. Only for who may give it: others learn nothing of the floor here."""
    tenant_id = visitor.tenant_id
    async with desk.db.connection() as conn:
        agent, chat = await require_read(conn, tenant_id, visitor.agent_id, chat_id)
        stands = await read_standing(conn, tenant_id, agent, chat)
        if not stands.can & {"transfer", "assign"}:
            raise Problem("chat_ended" if chat.ends_at else "transfer_open" if stands.transfer else "not_in_chat")
        colleagues = await list_colleagues(conn, tenant_id, chat.agent_id, search.strip()[:100], MOST_AGENTS)
        queues = await list_live(conn, tenant_id, MOST_QUEUES, 0)
    return {
        "chat_id": chat_id, "chat": chat, "can": stands.can, "search": search, "more": len(colleagues) == MOST_AGENTS,
        "colleagues": [(one, status_words(visitor.words, one.status)) for one in colleagues],
        "queues": [queue for queue in queues if queue.is_leaf],
    }  # fmt: skip


PAGES: list[Any] = [
    ask_transfer, ask_assign, targets, transfer, assign, *map(_settling, ("complete", "cancel", "decline")),
]  # fmt: skip
