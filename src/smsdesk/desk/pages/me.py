"""What each page has of its reader: his status, the chats that he is asked to take, the sound of it."""

import json
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from smsdesk.actions.accept_offer import accept_offer
from smsdesk.actions.decline_offer import decline_offer
from smsdesk.actions.set_agent_status import set_agent_status
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import Words
from smsdesk.domain.agent_status import AVAILABLE, OFFLINE, choices
from smsdesk.steps.rights import require_right
from smsdesk.store.agent_lists import AgentFilter, AgentLine, list_agents
from smsdesk.store.desk_offers import find_callers, list_given, set_sound
from smsdesk.store.offers import list_offers

WORK = {"right": "work"}
MOST_OFFERS = 20


class Status(msgspec.Struct):
    """The form of the status menu."""

    status: str = ""
    reason: str = ""


class Sound(msgspec.Struct):
    """The mute button."""

    sound: str = "on"


@get("/desk/me", opt=WORK)
async def me(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """His status as it is now."""
    return fragment(visitor, "parts/me.html", **await _mine(desk, visitor))


@post("/desk/me/status", status_code=200, opt=WORK)
async def change(
    request: Request[Any, Any, Any],
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    data: Annotated[Status, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """He does something else from now on."""
    await set_agent_status(desk.begin, visitor.tenant, visitor.agent_id, data.status, data.reason)
    if "hx-request" not in request.headers:
        return _to_desk()
    return fragment(visitor, "parts/me.html", **await _mine(desk, visitor))


@post("/desk/me/sound", status_code=200, opt=WORK)
async def sound(
    request: Request[Any, Any, Any],
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    data: Annotated[Sound, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Whether his offers are heard, on all his screens."""
    async with desk.begin(visitor.tenant_id) as work:
        await require_right(work.conn, visitor.tenant_id, visitor.agent_id, "work")
        await set_sound(work.conn, visitor.tenant_id, visitor.agent_id, data.sound == "on")
    if "hx-request" not in request.headers:
        return _to_desk()
    return await _offers(desk, visitor, data.sound == "on")


@get("/desk/offers", opt=WORK)
async def offers(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """What he is asked to take now."""
    return await _offers(desk, visitor, visitor.session.sound)


@post("/desk/chats/{chat_id:int}/accept", status_code=200, opt=WORK)
async def accept(
    request: Request[Any, Any, Any],
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    chat_id: FromPath[int],
) -> Response[Any]:
    """He takes the chat that he is asked to take, and sees it."""
    await accept_offer(desk.begin, visitor.tenant, chat_id, visitor.agent_id)
    path = f"/desk/chats/{chat_id}"
    if "hx-request" in request.headers:
        # A refusal is a line among the notices, so the form does not go to a page by itself.
        goal = {"path": path, "target": "body", "swap": "morph:innerHTML"}
        return Response(b"", status_code=200, headers={"HX-Location": json.dumps(goal)})
    return Response(b"", status_code=303, headers={"location": path})


@post("/desk/chats/{chat_id:int}/decline", status_code=200, opt=WORK)
async def decline(
    request: Request[Any, Any, Any],
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    chat_id: FromPath[int],
) -> Response[Any]:
    """Others are asked at once."""
    await decline_offer(desk.begin, visitor.tenant, chat_id, visitor.agent_id)
    if "hx-request" not in request.headers:
        return _to_desk()
    return await _offers(desk, visitor, visitor.session.sound)


def _to_desk() -> Response[Any]:
    """What a form without scripts is answered with."""
    return Response(b"", status_code=303, headers={"location": "/desk"})


async def _offers(desk: Desk, visitor: Visitor, heard: bool) -> Response[Any]:
    async with desk.db.connection() as conn:
        found = await list_offers(conn, visitor.tenant_id, visitor.agent_id, MOST_OFFERS, 0)
        callers = await find_callers(conn, visitor.tenant_id, [offer.chat_id for offer in found])
        given = await list_given(conn, visitor.tenant_id, visitor.agent_id)
    values: dict[str, Any] = {"offers": found, "callers": callers, "given": given, "sound": heard}
    return fragment(visitor, "parts/offers.html", **values, **await _mine(desk, visitor))


async def _mine(desk: Desk, visitor: Visitor) -> dict[str, Any]:
    own = visitor.tenant.settings.agent_statuses
    async with desk.db.connection() as conn:
        (line,) = await list_agents(conn, visitor.tenant_id, AgentFilter(agent_id=visitor.agent_id), 1, 0)
    names = {name: status_label(name, visitor.words) for name in (*choices(own), line.status)}
    return {"me": line, "names": names, "choices": choices(own), "why_not": _why_not(line, visitor, names),
            "tone": _tone(line), "now": desk.clock()}  # fmt: skip


def status_label(status: str, words: Words) -> str:
    """The name of a status in the reader's language; a tenant's own as the tenant wrote it."""
    known = {
        AVAILABLE: words.say("Available"),
        "unavailable": words.say("Unavailable"),
        "break": words.say("Break"),
        "meal": words.say("Meal"),
        "special_task": words.say("Special task"),
        OFFLINE: words.say("Offline"),
        "missed_chat": words.say("Missed a chat"),
        "unresponsive": words.say("Not heard of"),
    }
    return known.get(status, status)


def _tone(line: AgentLine) -> str:
    """The colour of the status: whether he is asked for chats."""
    if line.status in ("missed_chat", "unresponsive"):
        return "bad"
    if line.status == AVAILABLE:
        return "good" if line.ready else "warn"
    return "" if line.status == OFFLINE else "warn"


def _why_not(line: AgentLine, visitor: Visitor, names: dict[str, str]) -> str:
    """Why he is asked for no chats now; empty where he is."""
    words = visitor.words
    since = words.clock(line.since, visitor.zone) if line.since else ""
    if line.leaving:
        return words.say("You are logged out when your chats are over.")
    if line.status == "missed_chat":
        return words.say("You missed a chat at {time}: you are asked for no more until you say that you are here.",
                         time=since)  # fmt: skip
    if line.status == "unresponsive":
        return words.say("Your desk was not heard of at {time}: say that you are here again.", time=since)
    if line.status == OFFLINE:
        return words.say("You are offline: you are asked for no chats.")
    if line.status != AVAILABLE:
        return words.say("{status} since {time}: you are asked for no chats.", status=names[line.status], time=since)
    if line.load >= line.places:
        return words.say("You have all the chats that you may have: you are asked for no more.")
    if not line.queue_ids:
        return words.say("You work in no queue: ask an administrator for one.")
    return ""


PAGES: list[Any] = [me, change, sound, offers, accept, decline]
