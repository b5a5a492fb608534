"""The developer's screen: handsets, the API to try, and what happened, side by side."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from smsdesk.actions.create_token import create_token
from smsdesk.actions.regenerate_token import regenerate_token
from smsdesk.desk.event_words import tell_event
from smsdesk.desk.pages import handsets
from smsdesk.desk.presets import PHONES, presets
from smsdesk.desk.render import fragment, page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.audit import Author
from smsdesk.errors import Problem
from smsdesk.store.event_log import Place, read_log
from smsdesk.store.lab_numbers import find_free
from smsdesk.store.trace import find_trace

ADMINISTER = {"right": "administer"}
MESSAGES = 25
"""Whose events one page of the log has."""
SEED_NUMBER = "+1 628-555-0199"
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_PLACE = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")


@get("/desk/developer", opt=ADMINISTER)
async def show(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    number: FromQuery[str] = "",
    chat: FromQuery[int | None] = None,
) -> Response[str]:
    """The whole screen."""
    ours = sorted(visitor.tenant.numbers)
    async with desk.db.connection() as conn:
        phone = await find_free(conn, visitor.tenant_id, PHONES)
    shown = await handsets.values(desk, visitor, number)
    return page(
        visitor,
        "developer.html",
        here="/desk/developer",
        presets=presets(visitor.words, phone, ours[0] if ours else SEED_NUMBER, desk.clock()),
        tokens=sorted(one.name for one in visitor.tenant.credentials.values() if not one.disabled),
        **shown,
        **await _log(desk, visitor, chat, None),
    )


@get("/desk/developer/events", opt=ADMINISTER)
async def show_events(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    chat: FromQuery[int | None] = None,
    before: FromQuery[str] = "",
) -> Response[str]:
    """A page of the log."""
    return fragment(visitor, "parts/events.html", **await _log(desk, visitor, chat, _place(before)))


@get("/desk/developer/texts/{message_id:int}", opt=ADMINISTER)
async def show_trace(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], message_id: FromPath[int]
) -> Response[str]:
    """All that is on disk of one text."""
    async with desk.db.connection() as conn:
        trace = await find_trace(conn, visitor.tenant_id, message_id)
    if trace is None:
        raise Problem("not_found")
    return page(visitor, "trace.html", here="/desk/developer", trace=trace)


@post("/desk/developer/token", status_code=200, opt=ADMINISTER)
async def make_token(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[dict[str, str]]:
    """A token to try the API with, shown this once: everybody has one of his own, and each new one ends the last."""
    name, author = f"try it: {visitor.agent.email}"[:60], Author("desk", visitor.agent_id)
    known = {one.name for one in visitor.tenant.credentials.values()}
    make = regenerate_token if name in known else create_token
    token = await make(desk.db, visitor.tenant.subdomain, name, desk.clock(), desk.secret, author)
    await desk.directory.refresh()
    return Response({"token": token, "name": name})


async def _log(desk: Desk, visitor: Visitor, chat_id: int | None, before: Place | None) -> dict[str, Any]:
    async with desk.db.connection() as conn:
        log = await read_log(conn, visitor.tenant_id, before, MESSAGES, chat_id)
    older = f"{_micros(log.older[0])}-{log.older[1]}" if log.older else ""
    return {
        "told": [tell_event(event, visitor.words) for event in log.events],
        "older": older,
        "log_chat": chat_id,
        "before": f"{_micros(before[0])}-{before[1]}" if before else "",
        "now": desk.clock(),
    }


def _place(said: str) -> Place | None:
    found = _PLACE.fullmatch(said)
    try:
        return (_EPOCH + _MICROSECOND * int(found[1]), int(found[2])) if found else None
    except OverflowError:
        return None


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


PAGES = [show, show_events, show_trace, make_token, *handsets.PAGES]
