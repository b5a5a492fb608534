"""The handset page: a phone in the browser, rendered here, kept live by one small script."""

import heapq
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated
from urllib.parse import quote

from litestar import MediaType, Response, get
from litestar.datastructures import State
from litestar.params import QueryParameter

from smsdesk.lab.handsets import Handset, HandsetReply, Text
from smsdesk.lab.reading import e164
from smsdesk.lab.smsc import Smsc

_SHOWN_HANDSETS = 100
_SHOWN_TEXTS = 100
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_STATES = {"waiting": "waiting for a line", "sent": "on its way", "answered": "taken", "refused": "refused"}
_ENCODINGS = {"gsm7": "GSM-7", "ucs2": "UCS-2"}


@cache
def _template(name: str) -> Template:
    return Template((Path(__file__).parent / "templates" / name).read_text("utf-8"))


@get("/", media_type=MediaType.HTML, sync_to_thread=False)
def show(state: State, number: Annotated[str | None, QueryParameter(max_length=20)] = None) -> Response[str]:
    """The page: all handsets, and the one of `number`, or the latest, opened."""
    smsc: Smsc = state.smsc
    return Response(render(smsc, e164(number) if number else None), headers={"content-security-policy": _CSP})


def render(smsc: Smsc, number: str | None) -> str:
    """The whole page as HTML; everything that came from outside is escaped."""
    latest = heapq.nlargest(_SHOWN_HANDSETS, smsc.handsets.by_number.values(), key=lambda h: h.last_at)
    handset = smsc.handsets.by_number.get(number) if number else latest[0] if latest else None
    shown = number or (handset.number if handset else "")
    stats = smsc.snapshot()
    senders = dict.fromkeys(t.source for t in reversed(handset.texts[-_SHOWN_TEXTS:])) if handset else {}
    return _template("page.html").substitute(
        lines=_lines(stats.bound),
        lines_class="up" if stats.bound else "down",
        counts=f"{stats.texts:,} arrived · {stats.receipts:,} receipted · {stats.replies:,} replied",
        handsets="".join(_row(h, h.number == shown) for h in latest)
        or "<li class=none>No text arrived yet: bind to the SMPP port and send one.</li>",
        number=escape(shown),
        title=escape(_spaced(shown)) or "No handset open",
        thread=_thread(handset) if handset else "<li class=none>Nothing here yet.</li>",
        to=escape(next(iter(senders), "")),
        senders="".join(f'<option value="{escape(sender)}">' for sender in senders),
    )


def _lines(bound: int) -> str:
    return {0: "no line bound", 1: "1 line bound"}.get(bound, f"{bound} lines bound")


def _spaced(number: str) -> str:
    """A US number as people write it there; any other as it is."""
    if number.startswith("+1") and len(number) == 12:
        return f"{number[:2]} {number[2:5]}-{number[5:8]}-{number[8:]}"
    return number


def _row(handset: Handset, is_open: bool) -> str:
    newest: list[Text | HandsetReply] = [*handset.texts[-1:], *handset.replies[-1:]]
    last = max(newest, key=lambda entry: entry.at, default=None)
    return _template("handset.html").substitute(
        link=quote(handset.number),
        current='aria-current="page"' if is_open else "",
        number=escape(_spaced(handset.number)),
        last=escape(last.body[:80]) if last else "",
        count=f"{handset.arrived:,}",
    )


def _thread(handset: Handset) -> str:
    latest: list[Text | HandsetReply] = [*handset.texts[-_SHOWN_TEXTS:], *handset.replies[-_SHOWN_TEXTS:]]
    latest.sort(key=lambda entry: entry.at)
    return "".join(_bubble(entry) for entry in latest[-_SHOWN_TEXTS:])


def _bubble(entry: Text | HandsetReply) -> str:
    at = datetime.fromtimestamp(entry.at, UTC)
    encoding = _ENCODINGS.get(entry.encoding, entry.encoding)
    if isinstance(entry, Text):
        side, who, parts, note = "in", f"from {_spaced(entry.source)}", len(entry.submits), ""
        if max(entry.submits) > 1:
            note = f" · parts submitted {'+'.join(map(str, entry.submits))} times"
    else:
        side, who, parts, note = "out", f"to {_spaced(entry.to)}", entry.parts, f" · {_STATES[entry.state]}"
    return _template("bubble.html").substitute(
        side=side,
        body=escape(entry.body),
        iso=at.isoformat(timespec="milliseconds"),
        time=at.strftime("%H:%M:%S UTC"),
        about=escape(f"{who} · {parts} {'part' if parts == 1 else 'parts'} · {encoding}{note}"),
    )
