"""The page in the browser: handsets to type on, faults to switch, lines and vendors. Rendered here, and kept live by
small scripts that fetch it again and swap its parts."""

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated

from litestar import MediaType, Response, get
from litestar.datastructures import State
from litestar.params import QueryParameter

from smsdesk.lab import page_board, page_faults, page_phone
from smsdesk.lab.page_phone import View
from smsdesk.lab.reading import e164
from smsdesk.lab.smsc import Smsc
from smsdesk.lab.vendors.desk import Vendors

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_Number = Annotated[str, QueryParameter(max_length=20)]
_Skipped = Annotated[int, QueryParameter(ge=0, le=1_000_000_000)]


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "templates" / "page.html").read_text("utf-8"))


@get("/", media_type=MediaType.HTML, sync_to_thread=False)
def show(state: State, number: _Number = "", search: _Number = "", skip: _Skipped = 0) -> Response[str]:
    """The page: the handsets that fit `search` after the first `skip`, and the one of `number`, or the latest,
    opened. A search for a whole number opens its handset."""
    view = View(number=e164(number) if number else "", search=search.strip(), skip=skip)
    return Response(render(state.smsc, state.vendors, view), headers=_HEADERS)


def render(smsc: Smsc, vendors: Vendors, view: View) -> str:
    """The whole page as HTML; everything that came from outside is escaped."""
    network = smsc.network
    stats = smsc.snapshot()
    on = page_faults.switched_on(network.faults, network.profile)
    return _template().substitute(
        lines={0: "no line bound", 1: "1 line bound"}.get(stats.bound, f"{stats.bound} lines bound"),
        lines_class="up" if stats.bound else "down",
        counts=f"texts {stats.texts:,} · receipts {stats.receipts:,} · replies {stats.replies:,}",
        chip=escape(on or "no faults"),
        chip_class="warn" if on else "calm",
        all_off="" if on else "hidden",
        search=escape(view.search),
        **page_phone.parts(network.handsets, view),
        **page_faults.parts(network.faults, network.profile),
        board=page_board.board(smsc.line_infos(), list(vendors.gateways.values()), stats),
    )
