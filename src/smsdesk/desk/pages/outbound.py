"""A conversation is begun from here: to whom, from which number, and what would become of it before it leaves."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery, QueryParameter

from smsdesk.actions.send_message import Outlook
from smsdesk.actions.write_first import First, write_first
from smsdesk.desk.preview import preview
from smsdesk.desk.problems import sentence, status_of
from smsdesk.desk.render import fragment, page
from smsdesk.desk.services import Desk
from smsdesk.desk.texting_words import local_time
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.domain.quiet_hours import CATEGORIES
from smsdesk.domain.send import LONGEST_TICKET_ID, Send, check_send
from smsdesk.domain.shortcut import fill
from smsdesk.errors import Problem
from smsdesk.steps.desk_view import require_read
from smsdesk.steps.rights import require_right
from smsdesk.store.outbound import (
    Found,
    find_named,
    find_numbered,
    find_open_chat,
    last_number_of,
    list_our_numbers,
)
from smsdesk.store.sends import WantedSend
from smsdesk.store.shortcuts import list_shortcuts

WORK = {"right": "work"}
MOST_FOUND = 8
FEWEST_DIGITS = 3


class Typed(msgspec.Struct):
    """The form."""

    to: str = ""
    from_: str = msgspec.field(default="", name="from")
    body: str = ""
    ticket_id: str = ""
    category: str = ""
    form: str = ""


Form = Annotated[Typed, Body(media_type=RequestEncodingType.URL_ENCODED)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of the text. `tone` is `good`, `warn` or `bad`."""

    tone: str
    said: str
    more: tuple[str, ...] = ()
    chat_id: int | None = None
    """The open chat that is the place to write instead, where he may see it."""


@get("/desk/new", opt=WORK)
async def show(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], to: FromQuery[str] = "",
    ours: Annotated[str, QueryParameter(name="from")] = "",
) -> Response[str]:  # fmt: skip
    """The empty form, or one for this number."""
    return await _form(desk, visitor, Typed(to=to[:64], from_=ours), 200)


@get("/desk/people", opt=WORK)
async def search(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], to: FromQuery[str] = ""
) -> Response[str]:
    """People who are known, by the beginning of a name or of a number."""
    async with desk.db.connection() as conn:
        await require_right(conn, visitor.tenant_id, visitor.agent_id, "work")
        found = await _search(conn, visitor, to.strip()[:64])
    return fragment(visitor, "parts/people.html", found=found, asked=bool(to.strip()))


@post("/desk/new/check", status_code=200, opt=WORK)
async def check(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form) -> Response[str]:
    """What would become of the text as it is typed so far. Nothing is sent, and nothing is kept."""
    return fragment(visitor, "parts/verdict.html", **await _judge(desk, visitor, data))


@post("/desk/new", status_code=200, opt=WORK)
async def send(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], data: Form) -> Response[Any]:
    """Sends it once, however often this form is posted, and goes to its chat."""
    try:
        wanted = _read(data, visitor)
        digest = hashlib.sha256(msgspec.json.encode([data.to, data.from_, data.body, data.ticket_id, data.category]))
        first = First(wanted, visitor.agent_id, f"desk {visitor.agent_id} {_key(data)}", digest.digest())
        answer = await write_first(desk.begin, desk.send_message, visitor.tenant, first)
    except Problem as problem:
        if problem.reason == "overloaded":
            raise
        return await _form(desk, visitor, data, status_of(problem), sentence(problem, visitor.words))
    desk.wake(visitor.tenant_id)
    chat_id = msgspec.json.decode(answer)["id"]
    return Response(b"", status_code=303, headers={"location": f"/desk/chats/{chat_id}"})


async def _form(desk: Desk, visitor: Visitor, typed: Typed, status: int, error: str = "") -> Response[str]:
    agent, tenant = visitor.agent, visitor.tenant
    async with desk.db.connection() as conn:
        await require_right(conn, visitor.tenant_id, visitor.agent_id, "work")
        ours = await list_our_numbers(conn, visitor.tenant_id, visitor.agent_id)
        number = read_number(typed.to, frozenset(tenant.settings.allowed_regions)) if typed.to else None
        if isinstance(number, str) and not typed.from_:
            typed.from_ = await last_number_of(conn, visitor.tenant_id, number) or ""
        shortcuts = await list_shortcuts(conn, visitor.tenant_id)
    if not any(one.number == typed.from_ for one in ours):
        typed.from_ = ours[0].number if ours else ""
    typed.form = typed.form or desk.secret(16).hex()
    known = {
        "AGENT_FIRST_NAME": agent.first_name, "AGENT_LAST_NAME": agent.last_name, "AGENT_FULL_NAME": agent.name,
        "AGENT_EMAIL": agent.email, "COMPANY_NAME": tenant.settings.company_name or tenant.subdomain,
    }  # fmt: skip
    return page(
        visitor, "new.html", status, here="/desk", typed=typed, error=error, ours=ours, categories=CATEGORIES,
        default_category=tenant.settings.default_category, longest_ticket_id=LONGEST_TICKET_ID,
        shortcuts=[(one, fill(one.body, known)) for one in shortcuts], **await _judge(desk, visitor, typed),
    )  # fmt: skip


async def _search(conn: Any, visitor: Visitor, words: str) -> list[Found]:
    digits = "".join(each for each in words if each.isdecimal())
    if words and not any(each.isalpha() for each in words):
        if len(digits) < FEWEST_DIGITS:
            return []
        beginning = f"+{digits}" if words.startswith(("+", "1")) else f"+1{digits}"
        return await find_numbered(conn, visitor.tenant_id, beginning, MOST_FOUND)
    return await find_named(conn, visitor.tenant_id, words, MOST_FOUND) if len(words) > 1 else []


def _key(typed: Typed) -> str:
    if not 16 <= len(typed.form) <= 64 or not typed.form.isalnum():
        raise Problem("parameter_invalid", "the form has no key: open it again")
    return typed.form


def _read(typed: Typed, visitor: Visitor) -> Send:
    fields = {
        "chat_type": "SMS", "end_user_number": typed.to, "outbound_number": typed.from_,
        "message": typed.body.replace("\r\n", "\n"), "ticket_id": typed.ticket_id, "category": typed.category,
        "agent_id": visitor.agent_id,
    }  # fmt: skip
    return check_send(fields, visitor.tenant)


async def _judge(desk: Desk, visitor: Visitor, typed: Typed) -> dict[str, Any]:
    """The verdict and the preview; no verdict while there is nobody to write to."""
    number = read_number(typed.to, frozenset(visitor.tenant.settings.allowed_regions))
    there = None if isinstance(number, NumberProblem) else local_time(visitor.words, number, None, desk.clock())
    verdict, price = None, None
    if typed.to.strip():
        try:
            # Whether he may be texted is told before there are words: any will do for that.
            trial = _read(msgspec.structs.replace(typed, body=typed.body if typed.body.strip() else "."), visitor)
            verdict = await _open_chat(desk, visitor, trial)
            if verdict is None:
                outlook = await desk.send_message.explain(visitor.tenant, WantedSend(trial, None))
                verdict, price = _foresee(visitor, outlook, desk), outlook.forecast.price
        except Problem as problem:
            verdict = Verdict("bad", sentence(problem, visitor.words))
    return {"verdict": verdict, "there": there, "preview": preview(typed.body.replace("\r\n", "\n"), price)}


async def _open_chat(desk: Desk, visitor: Visitor, wanted: Send) -> Verdict | None:
    say = visitor.words.say
    async with desk.db.connection() as conn:
        chat_id = await find_open_chat(conn, visitor.tenant_id, wanted.end_user_number)
        if chat_id is None:
            return None
        try:
            await require_read(conn, visitor.tenant_id, visitor.agent_id, chat_id)
        except Problem:
            return Verdict("bad", say("A colleague is in a chat with this person. Nothing can be sent beside it."))
    return Verdict("bad", say("There is an open chat with this person: write there."), chat_id=chat_id)


def _foresee(visitor: Visitor, outlook: Outlook, desk: Desk) -> Verdict:
    say, forecast = visitor.words.say, outlook.forecast
    more = []
    if forecast.carrier != forecast.own_carrier:
        more.append(say("{own} is left for now: it goes over {carrier}.", own=forecast.own_carrier,
                        carrier=forecast.carrier))  # fmt: skip
    if outlook.verdict.held:
        at = visitor.words.brief(outlook.verdict.at, visitor.zone, desk.clock())
        return Verdict("warn", say("It waits until {time}: it is quiet there now.", time=at), tuple(more))
    if outlook.verdict.quiet:
        more.append(say("It is quiet there now; texts of this kind leave all the same."))
    return Verdict("good", say("It would leave at once."), tuple(more))


PAGES: list[Any] = [show, search, check, send]
