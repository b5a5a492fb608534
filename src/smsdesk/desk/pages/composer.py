"""Where an agent writes: to the consumer, or a note for the desk; what it will be is said while he types."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from smsdesk.actions.add_note import LONGEST as LONGEST_NOTE
from smsdesk.actions.add_note import add_note
from smsdesk.actions.answer_chat import Answer, AtDesk
from smsdesk.actions.keep_draft import keep_draft
from smsdesk.desk.composer_state import closed, may_note, told
from smsdesk.desk.preview import preview
from smsdesk.desk.problems import sentence, status_of
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.thread_reading import Thread, news, read_thread
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.media import MOST_ATTACHMENTS
from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.errors import Problem
from smsdesk.steps.desk_view import require_read
from smsdesk.store.db import Connection
from smsdesk.store.desk_chats import find_desk_chat
from smsdesk.store.texting import read_texting

WORK = {"right": "work"}
FORM = RequestEncodingType.URL_ENCODED


class Said(msgspec.Struct):
    """The composer's form."""

    body: str = ""
    form: str = ""
    seen: int = 0
    media: str | list[str] = []
    """Ids of uploads: one, or several."""
    have: str = ""


class Noted(msgspec.Struct):
    """The form of a note."""

    body: str = ""
    have: str = ""


class Typed(msgspec.Struct):
    """What stands in the composer by now. `outbound_number` and `end_user_number` where there is no chat yet."""

    body: str = ""
    note: bool = False
    outbound_number: str = ""
    end_user_number: str = ""


async def values(desk: Desk, visitor: Visitor, conn: Connection, thread: Thread) -> dict[str, Any]:
    """What `parts/composer.html` shows."""
    standing, tenant = thread.standing, visitor.tenant
    own = await find_desk_chat(conn, visitor.tenant_id, standing.chat.chat_id, visitor.agent_id)
    why_not = closed(standing, tenant, thread.reader)
    return {
        "own": own,
        "form": new_form(desk),
        "why_not": why_not,
        "told": [] if why_not else told(standing, tenant.settings.quiet_hours, thread.reader),
        "may_note": may_note(standing),
        "longest_note": LONGEST_NOTE,
        "most_files": MOST_ATTACHMENTS,
        "most_mb": tenant.settings.media_most_mb,
        "files_work": bool(tenant.settings.public_url),
        "preview": preview(own.draft, standing.texting.price),
    }


def new_form(desk: Desk) -> str:
    """What a form is known by that has not been sent."""
    return desk.secret(9).hex()


@post("/desk/chats/{chat_id:int}/say", status_code=200, opt=WORK)
async def say(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
    chat_id: FromPath[int], data: Annotated[Said, Body(media_type=FORM)],
) -> Response[Any]:  # fmt: skip
    """Puts an answer on its way. Refused, it stays as a draft; answered meanwhile, the new answer is shown."""
    body = _clean(data.body)
    answer = Answer(chat_id, visitor.agent_id, body, media_ids=_ids(data.media))
    try:
        await desk.answer_chat.at_desk(visitor.tenant, answer, AtDesk(data.form, data.seen))
    except Problem as problem:
        if problem.reason not in ("not_found", "forbidden", "message_missing"):
            await keep_draft(desk.begin, visitor.tenant, (chat_id, visitor.agent_id), body)
        if problem.reason != "answered_meanwhile" or "hx-request" not in request.headers:
            raise
        return await _again(desk, visitor, chat_id, data.have, problem)
    desk.wake(visitor.tenant_id)
    return await done(request, desk, visitor, chat_id, data.have)


@post("/desk/chats/{chat_id:int}/note", status_code=200, opt=WORK)
async def note(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
    chat_id: FromPath[int], data: Annotated[Noted, Body(media_type=FORM)],
) -> Response[Any]:  # fmt: skip
    """Writes a line that the consumer never sees."""
    body = _clean(data.body)
    if not body.strip():
        raise Problem("message_missing")
    async with desk.db.connection() as conn:
        await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
    await add_note(desk.begin, visitor.tenant, chat_id, visitor.agent_id, body)
    await keep_draft(desk.begin, visitor.tenant, (chat_id, visitor.agent_id), "", note=True)
    return await done(request, desk, visitor, chat_id, data.have, kind="note")


@post("/desk/chats/{chat_id:int}/draft", status_code=204, opt=WORK)
async def draft(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
    data: Annotated[Typed, Body(media_type=FORM)],
) -> None:  # fmt: skip
    """Keeps what is written and not sent."""
    where = (chat_id, visitor.agent_id)
    await keep_draft(desk.begin, visitor.tenant, where, _clean(data.body), note=data.note)


@post("/desk/chats/{chat_id:int}/preview", status_code=200, opt=WORK)
async def show_preview(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int],
    data: Annotated[Typed, Body(media_type=FORM)],
) -> Response[str]:  # fmt: skip
    """What the text will be on the air, and what it costs."""
    async with desk.db.connection() as conn:
        _, chat = await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        texting = await read_texting(conn, visitor.tenant_id, chat.outbound_number, chat.end_user_number)
    return fragment(visitor, "parts/preview.html", preview=preview(_clean(data.body), texting.price))


@post("/desk/preview", status_code=200, opt=WORK)
async def show_preview_without_chat(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Annotated[Typed, Body(media_type=FORM)]
) -> Response[str]:
    """The same before there is a chat; without a price while the numbers are not there yet."""
    regions = frozenset(visitor.tenant.settings.allowed_regions)
    ours, theirs = (read_number(one, regions) for one in (data.outbound_number, data.end_user_number))
    price = None
    if not isinstance(ours, NumberProblem) and not isinstance(theirs, NumberProblem):
        async with desk.db.connection() as conn:
            price = (await read_texting(conn, visitor.tenant_id, ours, theirs)).price
    return fragment(visitor, "parts/preview.html", preview=preview(_clean(data.body), price))


def _ids(given: str | list[str]) -> list[int]:
    ids = [given] if isinstance(given, str) else given
    if not all(one.isdecimal() and len(one) < 19 for one in ids):
        raise Problem("parameter_invalid", "media: an id of an upload is a number")
    return [int(one) for one in ids]


def _clean(body: str) -> str:
    """The words as they are sent: browsers end lines with two characters, and no text has a NUL."""
    return body.replace("\r\n", "\n").replace("\x00", "")


async def done(
    request: Request[Any, Any, Any], desk: Desk, visitor: Visitor, chat_id: int, have: str, kind: str = "say"
) -> Response[Any]:
    """What is new after something was said; the page itself where no script asked."""
    if "hx-request" not in request.headers:
        return Response(b"", status_code=303, headers={"location": f"/desk/chats/{chat_id}"})
    async with desk.db.connection() as conn:
        thread = await read_thread(desk, visitor, conn, chat_id)
        form = await values(desk, visitor, conn, thread)
    answer = news(visitor, thread, have, **form)
    said = {"chat": chat_id, "form": form["form"], "seen": thread.answers, "kind": kind}
    return _telling(answer, {"desk:said": said})


async def _again(desk: Desk, visitor: Visitor, chat_id: int, have: str, problem: Problem) -> Response[Any]:
    """The answer that came first, and the words of the refusal; the next try knows of it."""
    async with desk.db.connection() as conn:
        thread = await read_thread(desk, visitor, conn, chat_id)
        form = await values(desk, visitor, conn, thread)
    refusal = sentence(problem, visitor.words)
    answer = news(visitor, thread, have, status_of(problem), refusal=refusal, **form)
    return _telling(answer, {"desk:answered-meanwhile": {"chat": chat_id, "seen": thread.answers}})


def _telling(answer: Response[Any], events: dict[str, Any]) -> Response[Any]:
    answer.headers["HX-Trigger"] = msgspec.json.encode(events).decode()
    return answer


PAGES = [say, note, draft, show_preview, show_preview_without_chat]
