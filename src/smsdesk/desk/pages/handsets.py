"""The lab's handsets in the desk: through this server, for a page asks no other host."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from smsdesk.desk.lab import Lab, LabAway, Reply
from smsdesk.desk.presets import PHONES
from smsdesk.desk.render import fragment
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.errors import Problem
from smsdesk.store.lab_numbers import find_free, find_known

ADMINISTER = {"right": "administer"}
LISTENS_FOR = 50.0
"""Seconds of one connection to the lab's events; the browser then asks anew, and its right is looked at again."""
LONGEST = 10_000
SHOWN = 30
_SHOWN_AS_THEY_ARE = ("image/png", "image/jpeg", "image/gif", "image/webp")


async def values(desk: Desk, visitor: Visitor, wanted: str = "") -> dict[str, Any]:
    """What `parts/handset.html` shows: the phones of this tenant's consumers, and the wanted one, or the latest."""
    ours = sorted(visitor.tenant.numbers)
    nothing = {"lab": bool(desk.lab_page), "away": "", "phones": [], "number": "", "lines": [], "ours": ours}
    if not desk.lab_page:
        return nothing
    lab = Lab(desk.lab_page)
    try:
        found = await lab.handsets()
        async with desk.db.connection() as conn:
            known = await find_known(conn, visitor.tenant_id, {one.number for one in found})
            free = await find_free(conn, visitor.tenant_id, PHONES)
        phones = [one for one in found if one.number in known][:SHOWN]
        number = _read(visitor, wanted) if wanted else phones[0].number if phones else free
        lines = await lab.lines(number, ours)
    except LabAway as away:
        return {**nothing, "away": str(away)}
    return {**nothing, "phones": phones, "number": number, "lines": lines, "file_of": lab.own_file}


@get("/desk/developer/handset", opt=ADMINISTER)
async def show_handset(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], number: FromQuery[str] = ""
) -> Response[str]:
    """The handsets, and one of them open."""
    return fragment(visitor, "parts/handset.html", **await values(desk, visitor, number))


@get("/desk/developer/screen", opt=ADMINISTER)
async def show_screen(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], number: FromQuery[str] = ""
) -> Response[str]:
    """The list and the open handset's screen, without the place to type."""
    return fragment(visitor, "parts/handset_screen.html", **await values(desk, visitor, number))


@post("/desk/developer/reply", status_code=200, opt=ADMINISTER)
async def reply(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[str]:
    """Types a text at a handset, to one of this tenant's numbers."""
    form = await request.form()
    number, to, body = (str(form.get(name, "")) for name in ("number", "to", "body"))
    picture = form.get("picture")
    files = [content] if isinstance(picture, UploadFile) and (content := await picture.read()) else []
    if not desk.lab_page or to not in visitor.tenant.numbers:
        raise Problem("not_found")
    if not (body.strip() or files):
        raise Problem("message_missing")
    if len(body) > LONGEST:
        raise Problem("message_too_long")
    phone = _read(visitor, number)
    try:
        await Lab(desk.lab_page).reply(phone, Reply(to, body, files))
    except LabAway as away:
        raise Problem("parameter_invalid", visitor.words.say("The lab does not answer.")) from away
    return fragment(visitor, "parts/handset.html", **await values(desk, visitor, phone))


@get("/desk/developer/file/{lab_file:int}", opt=ADMINISTER)
async def read_file(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    lab_file: FromPath[int],
    number: FromQuery[str] = "",
) -> Response[bytes]:
    """A picture that was sent from this handset to a number of ours; any other file is only to be saved."""
    if not desk.lab_page:
        raise Problem("not_found")
    lab = Lab(desk.lab_page)
    try:
        lines = await lab.lines(_read(visitor, number), sorted(visitor.tenant.numbers)) if number else []
        if lab_file not in {lab.own_file(url) for line in lines for url in line.media}:
            raise Problem("not_found")
        content, kind = await lab.file(lab_file)
    except LabAway as away:
        raise Problem("not_found") from away
    headers = {"content-security-policy": "default-src 'none'; sandbox"}
    if kind not in _SHOWN_AS_THEY_ARE:
        kind = "application/octet-stream"
        headers["content-disposition"] = "attachment"
    return Response(content, media_type=kind, headers=headers)


@get("/desk/live/lab", opt=ADMINISTER)
async def hear_lab(desk: NamedDependency[Desk]) -> Stream:
    """That something happened at the handsets, not what: the page looks at what is its tenant's."""
    headers = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
    return Stream(_happenings(desk.lab_page), media_type="text/event-stream", headers=headers)


async def _happenings(address: str) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    if not address:
        return
    end = time.monotonic() + LISTENS_FOR
    happenings = Lab(address).happenings()
    try:
        while (left := end - time.monotonic()) > 0:
            happened = await asyncio.wait_for(anext(happenings), left)
            yield b"event: lab\ndata:\n\n" if happened else b": here\n\n"
    except (StopAsyncIteration, TimeoutError):
        return
    finally:
        await happenings.aclose()  # type: ignore[attr-defined]


def _read(visitor: Visitor, typed: str) -> str:
    """The number as the network writes it; one of a country that is not allowed may still have a handset."""
    found = read_number(typed, frozenset(visitor.tenant.settings.allowed_regions))
    if isinstance(found, NumberProblem):
        digits = "".join(filter(str.isdigit, typed))
        if not 3 <= len(digits) <= 15 or len(typed) > 64:
            raise Problem("end_user_number_invalid")
        return f"+{digits}" if typed.strip().startswith("+") else digits
    return found


PAGES = [show_handset, show_screen, reply, read_file, hear_lab]
