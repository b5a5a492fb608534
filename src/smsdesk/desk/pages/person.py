"""The person of the open chat: who he is, what time it is there, whether he may be texted, and what was before."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from smsdesk.actions.block_person import LONGEST_NOTE, block_person, unblock_person
from smsdesk.actions.change_consent import Told, opt_in_person, opt_out_person
from smsdesk.actions.correct_person import correct_person
from smsdesk.actions.decide_hold import Verdict, decide_hold
from smsdesk.desk.chat_words import ending_words
from smsdesk.desk.pages.chat_work import SUPERVISE, WORK, asked, back_to, require_seen
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.texting_words import local_time, may_text, scope_words, source_words
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.consent_list import LONGEST_WORDS
from smsdesk.domain.end_user import LONGEST, read_identity
from smsdesk.errors import Problem
from smsdesk.steps.desk_view import require_read
from smsdesk.store.db import Connection
from smsdesk.store.person import EarlierChat, Person, find_opt_outs, find_person, list_earlier
from smsdesk.store.texting import read_texting

PER_PAGE = 10
ASKS = ("edit", "opt-out", "opt-in", "block")


async def values(desk: Desk, visitor: Visitor, chat_id: int) -> dict[str, Any]:
    """What `parts/person.html` shows. Raises Problem `not_found` for a chat that he may not read."""
    now = desk.clock()
    async with desk.db.connection() as conn:
        person = await _person(conn, visitor, chat_id)
        texting = await read_texting(conn, visitor.tenant_id, person.outbound_number, person.number)
        opt_outs = await find_opt_outs(conn, visitor.tenant_id, person.number, person.outbound_number)
        earlier = await list_earlier(conn, visitor.tenant_id, person, None, PER_PAGE + 1)
    words = visitor.words
    return {
        "chat_id": chat_id, "person": person, "hold": texting.hold, "supervises": visitor.may("supervise"),
        "local": local_time(words, person.number, person.time_zone, now),
        "may_text": may_text(visitor, person, opt_outs, texting.hold is not None, now),
        "opt_outs": [
            (one, source_words(words, one.source), scope_words(words, one.scope, one.of), _actor(visitor, one.actor))
            for one in opt_outs
        ],
        "blocked_by": _actor(visitor, person.blocked_by), "ticket_url": _ticket_url(visitor, person),
        **_page(visitor, earlier),
    }  # fmt: skip


async def _person(conn: Connection, visitor: Visitor, chat_id: int) -> Person:
    await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
    person = await find_person(conn, visitor.tenant_id, chat_id)
    if person is None:
        raise Problem("not_found")
    return person


def _page(visitor: Visitor, earlier: list[EarlierChat]) -> dict[str, Any]:
    shown = earlier[:PER_PAGE]
    return {
        "earlier": [
            (one, ending_words(visitor.words, one.status, one.fail_reason, one.disconnected_by)) for one in shown
        ],
        "older": f"{shown[-1].ends_at.isoformat()}~{shown[-1].chat_id}" if len(earlier) > PER_PAGE else "",
    }  # fmt: skip


def _actor(visitor: Visitor, actor: str | None) -> str:
    """Who said so: an agent by his name, whatever else as it was written."""
    kind, _, raw = (actor or "").partition(" ")
    agent = visitor.tenant.agents.get(int(raw)) if kind == "agent" and raw.isdecimal() else None
    return (agent.name or agent.email) if agent else actor or ""


def _ticket_url(visitor: Visitor, person: Person) -> str:
    """Where the ticket is read: only an address of the web, for it is written by others."""
    wanted = visitor.tenant.settings.ticket_url
    url = person.out_ticket_url or (
        wanted.replace("{ticket_id}", person.ticket_id) if wanted and person.ticket_id else ""
    )
    return url if url.startswith(("https://", "http://")) else ""


@get("/desk/chats/{chat_id:int}/person", opt=WORK)
async def show(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int]) -> Response[str]:
    """The panel."""
    return fragment(visitor, "parts/person.html", **await values(desk, visitor, chat_id))


@get("/desk/chats/{chat_id:int}/earlier", opt=WORK)
async def more_earlier(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], before: FromQuery[str] = ""
) -> Response[str]:
    """The chats before those that are shown."""
    raw_at, _, raw_id = before.partition("~")
    try:
        place = (datetime.fromisoformat(raw_at), int(raw_id))
    except ValueError:
        raise Problem("parameter_invalid", "before") from None
    async with desk.db.connection() as conn:
        person = await _person(conn, visitor, chat_id)
        earlier = await list_earlier(conn, visitor.tenant_id, person, place, PER_PAGE + 1)
    return fragment(visitor, "parts/earlier.html", chat_id=chat_id, person=person, **_page(visitor, earlier))


class Form(msgspec.Struct):
    """What the dialogs of the panel post: each its own part of it."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    identifier: str = ""
    time_zone: str = ""
    words: str = ""
    width: str = "here"
    note: str = ""
    decision: str = ""


Typed = Annotated[Form, Body(media_type=RequestEncodingType.URL_ENCODED)]


def _asking(what: str, right: dict[str, str]) -> Any:
    async def ask(
        request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
        chat_id: FromPath[int],
    ) -> Response[str]:  # fmt: skip
        async with desk.db.connection() as conn:
            person = await _person(conn, visitor, chat_id)
        shown = {"chat_id": chat_id, "person": person, "what": what, "longest": LONGEST,
                 "longest_words": LONGEST_WORDS, "longest_note": LONGEST_NOTE}  # fmt: skip
        return asked(request, visitor, f"parts/person_{what.replace('-', '_')}.html", shown)

    ask.__name__ = f"ask_{what.replace('-', '_')}"
    return get(f"/desk/chats/{{chat_id:int}}/person/{what}", opt=right)(ask)


@post("/desk/chats/{chat_id:int}/person/edit", status_code=200, opt=WORK)
async def edit(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], data: Typed
) -> Response[Any]:
    """Keeps who he is."""
    await require_seen(desk, visitor, chat_id)
    told = read_identity(
        data.identifier, None, data.first_name, data.last_name, data.email, data.time_zone or None
    )  # fmt: skip
    await correct_person(desk.begin, visitor.tenant_id, visitor.agent_id, chat_id, told)
    return await back_to(desk, visitor, chat_id)


@post("/desk/chats/{chat_id:int}/person/opt-out", status_code=200, opt=WORK)
async def opt_out(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], data: Typed
) -> Response[Any]:
    """Notes that he wants no more texts."""
    await opt_out_person(desk.begin, visitor.tenant_id, Told(chat_id, visitor.agent_id, data.words, data.width))
    return await back_to(desk, visitor, chat_id)


@post("/desk/chats/{chat_id:int}/person/opt-in", status_code=200, opt=SUPERVISE)
async def opt_in(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], data: Typed
) -> Response[Any]:
    """Notes that he wants texts again."""
    await opt_in_person(desk.begin, visitor.tenant_id, Told(chat_id, visitor.agent_id, data.words, data.width))
    return await back_to(desk, visitor, chat_id)


@post("/desk/chats/{chat_id:int}/person/block", status_code=200, opt=WORK)
async def block(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], data: Typed
) -> Response[Any]:
    """Puts his number on the blocklist."""
    await require_seen(desk, visitor, chat_id)
    await block_person(desk.begin, visitor.tenant_id, visitor.agent_id, chat_id, data.note)
    return await back_to(desk, visitor, chat_id)


@post("/desk/chats/{chat_id:int}/person/unblock", status_code=200, opt=SUPERVISE)
async def unblock(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int]
) -> Response[Any]:
    """Takes his number off the blocklist."""
    await unblock_person(desk.begin, visitor.tenant_id, visitor.agent_id, chat_id)
    return await back_to(desk, visitor, chat_id)


@post("/desk/chats/{chat_id:int}/holds/{hold_id:int}", status_code=200, opt=WORK)
async def decide(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int], hold_id: FromPath[int],
    data: Typed,
) -> Response[Any]:  # fmt: skip
    """Says what a doubtful reply meant."""
    await require_seen(desk, visitor, chat_id)
    if data.decision not in ("revoked", "allowed"):
        raise Problem("parameter_invalid", "decision must be revoked or allowed")
    verdict = Verdict(hold_id, data.decision, f"agent {visitor.agent_id}", "agent", visitor.agent_id)
    await decide_hold(desk.begin, visitor.tenant_id, verdict)
    return await back_to(desk, visitor, chat_id)


PAGES: list[Any] = [
    show, more_earlier, edit, opt_out, opt_in, block, unblock, decide,
    *(_asking(what, SUPERVISE if what == "opt-in" else WORK) for what in ASKS),
]  # fmt: skip
