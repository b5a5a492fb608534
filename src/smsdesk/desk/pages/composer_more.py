"""What the composer fetches: files to go along, shortcuts, the draft of another tab; and a failed text said again."""

from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from smsdesk.actions.add_media import Upload, Uploads
from smsdesk.actions.answer_chat import Answer, AtDesk
from smsdesk.desk.pages.composer import Said, done
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.state_words import AGAIN
from smsdesk.desk.thread_lines import File
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.media import MOST_ATTACHMENTS
from smsdesk.domain.shortcut import fill
from smsdesk.errors import Problem
from smsdesk.media.contract import StoreAway
from smsdesk.steps.desk_view import require_read
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.db import Connection
from smsdesk.store.desk_chats import find_desk_chat
from smsdesk.store.media import find_media
from smsdesk.store.shortcuts import list_shortcuts
from smsdesk.store.texting import read_names
from smsdesk.store.thread import find_failed, find_ticket, read_queue_paths

WORK = {"right": "work"}


@get("/desk/chats/{chat_id:int}/draft", opt=WORK)
async def draft(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int]
) -> Response[bytes]:
    """What this person has written in the chat and not sent, for his other tabs."""
    async with desk.db.connection() as conn:
        await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        own = await find_desk_chat(conn, visitor.tenant_id, chat_id, visitor.agent_id)
    kept = msgspec.json.encode({"draft": own.draft, "note": own.note_draft})
    return Response(kept, media_type=MediaType.JSON)


@get("/desk/chats/{chat_id:int}/shortcuts", opt=WORK)
async def shortcuts(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], chat_id: FromPath[int]
) -> Response[str]:
    """The ready-made answers, their variables filled for this chat and this agent."""
    async with desk.db.connection() as conn:
        _, chat = await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        known = await list_shortcuts(conn, visitor.tenant_id)
        variables = await _variables(conn, visitor, chat)
    filled = [(one, fill(one.body, variables)) for one in known]
    return fragment(visitor, "parts/shortcuts.html", chat_id=chat_id, shortcuts=filled)


async def _variables(conn: Connection, visitor: Visitor, chat: ChatRow) -> dict[str, str]:
    first, last = await read_names(conn, visitor.tenant_id, chat.end_user_id)
    agent, settings = visitor.agent, visitor.tenant.settings
    queues = await read_queue_paths(conn, visitor.tenant_id, {chat.queue_id} if chat.queue_id else set())
    return {
        "CUSTOMER_FIRST_NAME": first,
        "CUSTOMER_LAST_NAME": last,
        "CUSTOMER_FULL_NAME": f"{first} {last}".strip(),
        "AGENT_FIRST_NAME": agent.first_name,
        "AGENT_LAST_NAME": agent.last_name,
        "AGENT_FULL_NAME": agent.name,
        "AGENT_EMAIL": agent.email,
        "AGENT_NUMBER": str(agent.agent_number or ""),
        "QUEUE_NAME": next(iter(queues.values()), "").rpartition("/")[2],
        "COMPANY_NAME": settings.company_name or visitor.tenant.subdomain,
        "TICKET_ID": await find_ticket(conn, visitor.tenant_id, chat.chat_id),
        "OUTBOUND_NUMBER": chat.outbound_number,
    }


@post("/desk/chats/{chat_id:int}/files", status_code=200, opt=WORK)
async def files(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
    chat_id: FromPath[int],
) -> Response[str]:  # fmt: skip
    """Takes files that shall go with an answer: all of them or none."""
    tenant = visitor.tenant
    async with desk.db.connection() as conn:
        await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
    form = await request.form()
    given = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
    if not given or len(given) > MOST_ATTACHMENTS:
        raise Problem("parameter_invalid", visitor.words.say("At most {most} files at a time.", most=MOST_ATTACHMENTS))
    uploads = Uploads(chat_id, [Upload(await one.read(), one.filename) for one in given], agent_id=visitor.agent_id)
    try:
        ids = await desk.add_media(tenant, uploads, desk.media_stores.of(tenant.settings.media_store).put)
    except StoreAway as error:
        raise Problem("overloaded") from error
    async with desk.db.connection() as conn:
        found = {one.media_id: one for one in (await find_media(conn, visitor.tenant_id, [chat_id]))[chat_id]}
    shown = [(media_id, File.of(found[media_id])) for media_id in ids]
    return fragment(visitor, "parts/uploads.html", uploads=shown)


@post("/desk/chats/{chat_id:int}/messages/{message_id:int}/again", status_code=200, opt=WORK)
async def again(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor],
    chat_id: FromPath[int], message_id: FromPath[int],
    data: Annotated[Said, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:  # fmt: skip
    """Says a text once more that surely did not arrive. Pressed twice it is one text."""
    async with desk.db.connection() as conn:
        await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        body = await find_failed(conn, visitor.tenant_id, chat_id, message_id, sorted(AGAIN))
    if body is None:
        raise Problem("parameter_invalid", visitor.words.say("This text cannot be sent again from here."))
    answer = Answer(chat_id, visitor.agent_id, body)
    await desk.answer_chat.at_desk(visitor.tenant, answer, AtDesk(f"again-{message_id}", data.seen))
    desk.wake(visitor.tenant_id)
    return await done(request, desk, visitor, chat_id, data.have)


PAGES = [draft, shortcuts, files, again]
