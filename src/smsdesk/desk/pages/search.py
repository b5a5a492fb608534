"""The search over all chats of the tenant, and what is done with several of them at once."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from smsdesk.actions.assign_chat import Assignment, assign_chat
from smsdesk.actions.transfer_chat import TransferRequest, transfer_chat
from smsdesk.desk.problems import sentence
from smsdesk.desk.render import page
from smsdesk.desk.search_form import GROUPS, STATUSES, Asked, read_asked
from smsdesk.desk.services import Desk
from smsdesk.desk.supervision import shared, supervising
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.chat_life import OPEN
from smsdesk.domain.looked_for import LookedFor, found_line, meanings, read_id
from smsdesk.errors import Problem
from smsdesk.store.agent_lists import AgentFilter, AgentLine, list_agents
from smsdesk.store.chat_finds import (
    ABOUT,
    FindFilter,
    FoundChat,
    find_by_id,
    find_listed,
    find_person,
    has_ticket,
    list_dispositions,
)
from smsdesk.store.chat_search import ChatFilter
from smsdesk.store.db import Connection
from smsdesk.store.queue_counts import LiveQueue, list_live

SUPERVISE = {"right": "supervise"}
PER_PAGE = 50
MOST_AT_ONCE = 200
"""Chats that are given on by one form."""
MOST_CHOICES = 500
LATELY = timedelta(days=30)
"""How far back is looked for what has no index of its own, where nobody says from when."""
LATEST = 10_000
"""How many wrap-ups, the latest ones, say which dispositions are offered."""
SLOW = ("failed", "file", "rated", "abandoned", "unanswered")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the fields of the form offer."""

    queues: list[LiveQueue]
    agents: list[AgentLine]
    dispositions: list[str]


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one chat that was to be given on; `why` says why it was not."""

    chat_id: int
    why: str | None


@get("/desk/search", opt=SUPERVISE)
async def show(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """The form and what was found; the newest chats where nothing was asked for."""
    asked = read_asked(request.query_params)
    choices = await _choices(desk, visitor)
    async with supervising(desk, visitor) as conn:
        wanted, meant = await _wanted(conn, desk, visitor, asked, choices)
        chats = await find_listed(conn, visitor.tenant_id, wanted, PER_PAGE + 1)
    return page(
        visitor, "search.html", here="/desk/search", asked=asked, meant=meant, chats=chats[:PER_PAGE],
        more=asked.address(after=str(chats[PER_PAGE - 1].chat_id)) if len(chats) > PER_PAGE else None,
        choices=choices, lines={chat.chat_id: found_line(chat.body, wanted.chats.q or "") for chat in chats},
        since=wanted.chats.created_from if asked.about in SLOW and not asked.first else None, is_open=_is_open,
        about=_about(visitor), statuses=_statuses(visitor), numbers=list(visitor.tenant.numbers),
    )  # fmt: skip


@post("/desk/search/assign", status_code=200, opt=SUPERVISE)
async def assign(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """Gives chats on to an agent or a queue, each in a transaction of its own, and tells what became of each."""
    form = await request.form()
    ids = [found for raw in form.getall("chat_id", []) if (found := read_id(str(raw))) is not None]
    kind, _, raw = str(form.get("to", "")).partition(":")
    goal = read_id(raw)
    if not ids or kind not in ("agent", "queue") or goal is None:
        raise Problem("parameter_invalid", visitor.words.say("Choose chats, and an agent or a queue to give them to."))
    moved = [
        await _give(desk, visitor, chat_id, (kind, goal), bool(form.get("force"))) for chat_id in ids[:MOST_AT_ONCE]
    ]
    back = str(form.get("back", ""))
    back = back if back.startswith("/desk/search") else "/desk/search"
    return page(visitor, "search_moved.html", here="/desk/search", moved=moved, back=back)


async def _give(desk: Desk, visitor: Visitor, chat_id: int, to: tuple[str, int], force: bool) -> Moved:
    try:
        if to[0] == "agent":
            await assign_chat(desk.begin, visitor.tenant, Assignment(chat_id, to[1], visitor.agent_id, force))
        else:
            giving = TransferRequest(
                chat_id, "cold", from_agent_id=visitor.agent_id, to_queue_id=to[1], at_desk=True
            )  # fmt: skip
            await transfer_chat(desk.begin, visitor.tenant, giving)
    except Problem as problem:
        return Moved(chat_id, sentence(problem, visitor.words))
    return Moved(chat_id, None)


async def _choices(desk: Desk, visitor: Visitor) -> Choices:
    tenant_id = visitor.tenant_id

    async def read(conn: Connection) -> Choices:
        return Choices(
            await list_live(conn, tenant_id, MOST_CHOICES, 0),
            await list_agents(conn, tenant_id, AgentFilter(), MOST_CHOICES, 0),
            await list_dispositions(conn, tenant_id, LATEST, MOST_CHOICES),
        )

    return await shared(desk, visitor, "choices", timedelta(seconds=30), read)


async def _wanted(
    conn: Connection, desk: Desk, visitor: Visitor, asked: Asked, choices: Choices
) -> tuple[FindFilter, LookedFor | None]:
    first, last = asked.days(visitor.zone)
    if first is None and (asked.about in SLOW or asked.disposition):
        first = desk.clock() - LATELY
    by_end = asked.ended == "yes"
    chats = ChatFilter(
        statuses=asked.statuses,
        agent_id=asked.number_of("agent"),
        end_user_id=asked.number_of("person"),
        outbound_number=asked.ours or None,
        direction=asked.direction if asked.direction in ("inbound", "outbound") else None,
        created_from=None if by_end else first,
        created_to=None if by_end else last,
        ended_from=first if by_end else None,
        ended_to=last if by_end else None,
        after=asked.number_of("after"),
    )
    queue_id = asked.number_of("queue")
    wanted = FindFilter(
        chats,
        queue_ids=None if queue_id is None else _with_those_below(queue_id, choices.queues),
        about=asked.about if asked.about in ABOUT else None,
        disposition=asked.disposition or None,
    )
    if not asked.q:
        return wanted, None
    for meant in meanings(asked.q, frozenset(visitor.tenant.settings.allowed_regions)):
        narrowed = (
            await _narrowed(conn, visitor, wanted, meant) if asked.words != "yes" or meant.kind == "words" else None
        )
        if narrowed is not None:
            return narrowed, meant
    return replace(wanted, chat_ids=()), None


async def _narrowed(conn: Connection, visitor: Visitor, wanted: FindFilter, meant: LookedFor) -> FindFilter | None:
    """The filter with this meaning of the box; None where it leads nowhere."""
    if meant.kind == "number":
        ours = meant.value in visitor.tenant.numbers
        chats = wanted.chats
        chats = replace(chats, outbound_number=meant.value) if ours else replace(chats, number=meant.value)
        return replace(wanted, chats=chats)
    if meant.kind == "words":
        return replace(wanted, chats=replace(wanted.chats, q=meant.value))
    if meant.kind == "id":
        ids = await find_by_id(conn, visitor.tenant_id, int(meant.value))
        return replace(wanted, chat_ids=tuple(ids)) if ids else None
    if await has_ticket(conn, visitor.tenant_id, meant.value):
        return replace(wanted, chats=replace(wanted.chats, ticket_id=meant.value))
    person = await find_person(conn, visitor.tenant_id, meant.value)
    return None if person is None else replace(wanted, chats=replace(wanted.chats, end_user_id=person))


def _with_those_below(queue_id: int, queues: list[LiveQueue]) -> tuple[int, ...]:
    return (queue_id, *(one.queue.queue_id for one in queues if queue_id in one.path_ids))


def _is_open(chat: FoundChat) -> bool:
    return chat.status in OPEN


def _statuses(visitor: Visitor) -> dict[str, str]:
    say = visitor.words.say
    words = {
        "open": say("All open ones"), "waiting": say("Waiting for an agent"), "with_agent": say("With an agent"),
        "ended": say("All ended ones"), "selecting": say("in the menu"), "queued": say("waiting"),
        "resumed": say("waiting again"), "transferred": say("on its way to another"), "assigned": say("assigned"),
        "ongoing": say("ongoing"), "dismissed": say("set aside"), "finished": say("finished"),
        "failed": say("failed"), "abandoned": say("abandoned"),
    }  # fmt: skip
    return {name: words[name] for name in (*GROUPS, *STATUSES)}


def _about(visitor: Visitor) -> dict[str, str]:
    say = visitor.words.say
    return {
        "failed": say("Texts that failed"), "doubtful": say("Doubtful texts"), "hold": say("Consent to decide"),
        "crm": say("Failed jobs of the CRM"), "file": say("Lost files"), "rated": say("Rated by the consumer"),
        "abandoned": say("Left before an agent came"), "unanswered": say("Never answered by the consumer"),
    }  # fmt: skip


PAGES = [show, assign]
