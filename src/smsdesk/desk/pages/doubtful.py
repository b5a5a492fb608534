"""The texts of which nobody knows whether they left: what is known of each, and what a person decides."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from smsdesk.actions.settle_text import VERDICTS, settle_text
from smsdesk.desk.problems import sentence
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.state_words import state_names
from smsdesk.desk.supervision import supervising
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.looked_for import LARGEST_ID, read_id
from smsdesk.domain.trace import Trace
from smsdesk.errors import Problem
from smsdesk.store.doubtful import Settlement, count_doubtful, list_doubtful
from smsdesk.store.trace import find_trace

SUPERVISE = {"right": "supervise"}
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one verdict; `why` says why it could not be written down."""

    message_id: int
    why: str | None


@get("/desk/doubtful", opt=SUPERVISE)
async def show(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], begin: FromQuery[int] = 0
) -> Response[Any]:
    """The list, the longest in doubt first."""
    begin = max(0, min(begin, 1_000_000))
    async with supervising(desk, visitor) as conn:
        total = await count_doubtful(conn, visitor.tenant_id)
        texts = await list_doubtful(conn, visitor.tenant_id, PER_PAGE, begin)
    after = begin + PER_PAGE if begin + PER_PAGE < total else None
    return page(visitor, "doubtful.html", here="/desk/doubtful", texts=texts, total=total, begin=begin, after=after)


@get("/desk/doubtful/{message_id:int}", opt=SUPERVISE)
async def show_one(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], message_id: FromPath[int]
) -> Response[Any]:
    """All that is on disk about one text, in words."""
    async with supervising(desk, visitor) as conn:
        trace = await find_trace(conn, visitor.tenant_id, message_id) if message_id <= LARGEST_ID else None
    if trace is None:
        raise Problem("not_found")
    say = visitor.words.say
    return page(
        visitor, "doubtful_text.html", here="/desk/doubtful", trace=trace,
        says=say(trace.says), remedy=_remedy(visitor, trace), verdict_word=lambda verdict: _verdict(visitor, verdict),
        state_word=state_names(visitor.words),
    )  # fmt: skip


@post("/desk/doubtful/settle", status_code=200, opt=SUPERVISE)
async def settle(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """Writes the verdict on each chosen text down, each in a transaction of its own, and tells what became of it."""
    form = await request.form()
    ids = [found for raw in form.getall("message_id", []) if (found := read_id(str(raw))) is not None]
    verdict = str(form.get("verdict", ""))
    if not ids or verdict not in VERDICTS:
        raise Problem("parameter_invalid", visitor.words.say("Choose texts, and say what became of them."))
    settled = [await _settle(desk, visitor, message_id, verdict) for message_id in ids[:PER_PAGE]]
    if verdict == "send_again":
        desk.wake(visitor.tenant_id)
    word = _verdict(visitor, verdict)
    return page(visitor, "doubtful_settled.html", here="/desk/doubtful", settled=settled, verdict=word)


async def _settle(desk: Desk, visitor: Visitor, message_id: int, verdict: str) -> Settled:
    said = Settlement(message_id, verdict, visitor.agent.email)
    try:
        await settle_text(desk.db, visitor.tenant, said, desk.clock(), visitor.agent_id)
    except Problem as problem:
        if problem.reason == "forbidden":
            raise
        return Settled(message_id, sentence(problem, visitor.words))
    return Settled(message_id, None)


def _remedy(visitor: Visitor, trace: Trace) -> str:
    """What to do; the trace's own words for a text in doubt send its reader to the command line."""
    if trace.state != "doubtful":
        return visitor.words.say(trace.remedy)
    return visitor.words.say("Wait for a report; if none comes, ask the carrier, and say here what became of it")


def _verdict(visitor: Visitor, verdict: str) -> str:
    say = visitor.words.say
    words = {"sent": say("It was sent"), "not_sent": say("It was not sent"), "send_again": say("Send it again")}
    return words.get(verdict, verdict)


PAGES = [show, show_one, settle]
