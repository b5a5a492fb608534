"""A page of a chat's thread read for one person, and what of it is new to a page that has some of it already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response

from smsdesk.desk.composer_state import Standing
from smsdesk.desk.happened_words import Names
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.state_words import Reader
from smsdesk.desk.thread_lines import Shown, Writer, newer
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.media import Media
from smsdesk.domain.thread import Happened, Line, between, events, merge
from smsdesk.domain.zones import place_of
from smsdesk.steps.desk_view import require_read
from smsdesk.store.db import Connection
from smsdesk.store.desk_chats import count_answers
from smsdesk.store.media import find_media
from smsdesk.store.participants import find_present
from smsdesk.store.texting import read_names, read_texting
from smsdesk.store.thread import Place, read_happened, read_page, read_queue_paths

PAGE = 50
"""Messages that a thread shows at first, and more with each step back."""
LONGEST = 1200
"""Characters of a message that a thread shows before somebody asks for all of it."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A page of a thread, and who stands before it."""

    standing: Standing
    reader: Reader
    shown: list[Shown]
    earlier: str
    """The place of the page before it; empty where it is the first."""
    answers: int
    """How many answers of ours are in the chat."""
    name: str
    """What the consumer is called; empty where nobody knows."""


async def read_thread(
    desk: Desk, visitor: Visitor, conn: Connection, chat_id: int, before: Place | None = None
) -> Thread:
    """A page of the thread, in the reader's words; raises Problem `not_found` where he may not read it."""
    tenant_id, now = visitor.tenant_id, desk.clock()
    agent, chat = await require_read(conn, tenant_id, visitor.agent_id, chat_id)
    lines = await read_page(conn, tenant_id, chat_id, before, PAGE + 1, LONGEST)
    more, lines = len(lines) > PAGE, lines[-PAGE:]
    happened = await read_happened(conn, tenant_id, chat_id)
    texting = await read_texting(conn, tenant_id, chat.outbound_number, chat.end_user_number)
    zones = place_of(chat.end_user_number, texting.time_zone).zones
    reader = Reader(visitor.words, visitor.zone, now, agent.supervises, ZoneInfo(zones[0]) if len(zones) == 1 else None)
    names = Names(
        visitor.tenant.agents, await read_queue_paths(conn, tenant_id, _queues(happened)),
        visitor.tenant.settings.company_name or visitor.tenant.subdomain, visitor.words,
    )  # fmt: skip
    told = between(events(happened), lines[0].created_at if more else None, before.at if before else None)
    writer = Writer(chat_id, reader, names, await _media(conn, tenant_id, chat_id, lines))
    standing = Standing(
        agent, chat, await find_present(conn, tenant_id, chat_id, visitor.agent_id),
        names.agent(chat.agent_id) if chat.agent_id else "", texting,
    )  # fmt: skip
    first, last = await read_names(conn, tenant_id, chat.end_user_id)
    return Thread(
        standing, reader, writer.write(merge(lines, told)), _written(lines[0]) if more else "",
        await count_answers(conn, tenant_id, chat_id), f"{first} {last}".strip(),
    )  # fmt: skip


async def _media(conn: Connection, tenant_id: int, chat_id: int, lines: list[Line]) -> Mapping[int, list[Media]]:
    wanted = {line.message_id for line in lines}
    found: dict[int, list[Media]] = {}
    for one in (await find_media(conn, tenant_id, [chat_id]))[chat_id]:
        if one.message_id is not None and one.message_id in wanted:
            found.setdefault(one.message_id, []).append(one)
    return found


def _queues(happened: Happened) -> set[int]:
    places = [*(one.queue_id for one in happened.was), *(one.to_queue_id for one in happened.transfers)]
    return {queue_id for queue_id in places if queue_id is not None}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _written(line: Line) -> str:
    return f"{(line.created_at - _EPOCH) // timedelta(microseconds=1)}-{line.message_id}"


def place(written: str) -> Place | None:
    at, _, message_id = written.partition("-")
    if not (at.isdecimal() and message_id.isdecimal() and len(at) < 18 and len(message_id) < 19):
        return None
    return Place(_EPOCH + timedelta(microseconds=int(at)), int(message_id))


def news(visitor: Visitor, thread: Thread, have: str, status: int = 200, **more: Any) -> Response[str]:
    """What a page that has these lines (`name~version,...`) does not have yet, each to be put in its place; the whole
    thread where that cannot be."""
    known = dict(one.partition("~")[::2] for one in have.split(",") if one)
    found = newer(thread.shown, known) if known else None
    chat_id = thread.standing.chat.chat_id
    shown: dict[str, Any] = {"chat_id": chat_id, "thread": thread, **more}
    if found is None:
        return fragment(visitor, "parts/thread_whole.html", status, **shown)
    return fragment(visitor, "parts/thread_news.html", status, fresh=found[0], changed=found[1], **shown)
