"""A text to try one of our numbers with: the real way, each step shown."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from smsdesk.actions.allow_test_send import allow_test_send
from smsdesk.actions.send_message import Outlook
from smsdesk.desk.pages import handsets
from smsdesk.desk.presets import PHONES
from smsdesk.desk.problems import sentence, status_of
from smsdesk.desk.render import fragment, page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.domain.send import check_send
from smsdesk.errors import Problem
from smsdesk.store.event_log import read_log
from smsdesk.store.lab_numbers import find_free
from smsdesk.store.sends import WantedSend
from smsdesk.store.trace import find_trace

ADMINISTER = {"right": "administer"}
PATH = "/desk/admin/test-send"


class Wanted(msgspec.Struct):
    """The form; `look` only says what would happen."""

    outbound_number: str = ""
    end_user_number: str = ""
    message: str = ""
    look: str = ""


class _Sent(msgspec.Struct):
    """What we need of the answer."""

    id: int
    message_id: int


@get(PATH, opt=ADMINISTER)
async def show(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], message: FromQuery[int | None] = None
) -> Response[str]:
    """The form, and the text that was sent with it."""
    ours = sorted(visitor.tenant.numbers)
    async with desk.db.connection() as conn:
        phone = await find_free(conn, visitor.tenant_id, PHONES) if desk.lab_page else ""
    wanted = Wanted(ours[0] if ours else "", phone, visitor.words.say("A test from smsdesk."))
    shown = await _steps(desk, visitor, message) if message is not None else {"trace": None}
    return _page(visitor, wanted, **shown)


@get(f"{PATH}/steps", opt=ADMINISTER)
async def show_steps(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], message: FromQuery[int]
) -> Response[str]:
    """How far the text is."""
    return fragment(visitor, "parts/test_steps.html", **await _steps(desk, visitor, message))


@post(PATH, status_code=200, opt=ADMINISTER)
async def send(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    data: Annotated[Wanted, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Sends it, unless the dry run says that it would be refused."""
    tenant = visitor.tenant
    fields = {"chat_type": "Messaging (SMS)", "outbound_number": data.outbound_number,
              "end_user_number": data.end_user_number, "message": data.message}  # fmt: skip
    try:
        wanted = WantedSend(check_send(fields, tenant), None)
        outlook = await desk.send_message.explain(tenant, wanted)
        if data.look:
            return _page(visitor, data, trace=None, outlook=outlook)
        to = wanted.send
        await allow_test_send(desk.begin, tenant.tenant_id, visitor.agent_id, to.outbound_number, to.end_user_number)
        sent = msgspec.json.decode(await desk.send_message(tenant, wanted), type=_Sent)
    except Problem as problem:
        return _page(visitor, data, status_of(problem), trace=None, error=sentence(problem, visitor.words))
    desk.wake(tenant.tenant_id)
    return Response(b"", status_code=303, headers={"location": f"{PATH}?message={sent.message_id}"})


async def _steps(desk: Desk, visitor: Visitor, message_id: int) -> dict[str, Any]:
    async with desk.db.connection() as conn:
        trace = await find_trace(conn, visitor.tenant_id, message_id)
        if trace is None:
            raise Problem("not_found")
        log = await read_log(conn, visitor.tenant_id, None, 10, trace.chat_id)
    kinds = {one.kind for one in log.events if one.message_id == message_id}
    return {"trace": trace, "kinds": kinds, **await handsets.values(desk, visitor, trace.destination)}


def _page(visitor: Visitor, wanted: Wanted, status: int = 200, **more: Any) -> Response[str]:
    outlook: Outlook | None = None
    shown: dict[str, Any] = {"typed": wanted, "error": "", "outlook": outlook, **more}
    numbers = sorted(visitor.tenant.numbers)
    return page(visitor, "test_send.html", status, here="/desk/admin", numbers=numbers, **shown)


PAGES = [show, show_steps, send]
