"""The page's handsets: the list of them, and the one that is open as a phone with its bubbles."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode

from smsdesk.lab.handsets import Handset, HandsetReply, Handsets, Text
from smsdesk.lab.reading import e164
from smsdesk.lab.submission import SMPP

_SHOWN_HANDSETS = 50
_SHOWN_TEXTS = 100
_WHOLE_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]{6,18}")
_FILM = re.compile(r"\.(mp4|3gp|3g2|mov)(\?|$)")
_DOCUMENT = re.compile(r"\.(pdf|vcf|ics|mp3|amr|m4a|wav)(\?|$)")
_STATES = {"waiting": "waiting", "sent": "on its way", "answered": "taken", "refused": "refused"}
_ENCODINGS = {"gsm7": "GSM-7", "ucs2": "UCS-2", "latin1": "Latin-1", "ascii": "ASCII"}


@dataclass(frozen=True, slots=True)
class View:
    """What the page is asked to show."""

    number: str = ""
    """E.164; empty for the handset that something happened at last."""
    search: str = ""
    skip: int = 0


@cache
def _template(name: str) -> Template:
    return Template((Path(__file__).parent / "templates" / name).read_text("utf-8").rstrip("\n"))


def parts(handsets: Handsets, view: View) -> dict[str, str]:
    """The list and the open handset, each under its name in the template."""
    found, total = handsets.latest(_sought(view.search), view.skip, _SHOWN_HANDSETS)
    number = view.number or _opened_by(view.search, found)
    handset, view = handsets.by_number.get(number), replace(view, number=number)
    latest = reversed(handset.texts[-_SHOWN_TEXTS:]) if handset else ()
    senders = list(dict.fromkeys(text.source for text in latest))
    auto_reply = handset.auto_reply if handset else None
    return {
        "handsets": "".join(_row(h, view) for h in found) or _nobody(view),
        "pages": _pages(view, len(found), total),
        "number": escape(number),
        "title": escape(spaced(number)) or "No handset open",
        "thread": _thread(handset) if handset else "",
        "to": escape(senders[0] if senders else ""),
        "senders": "".join(f'<option value="{escape(sender)}">' for sender in senders),
        "auto_on": "checked" if auto_reply else "",
        "auto_body": escape(auto_reply or ""),
    }


def _sought(search: str) -> str:
    """A piece of a number as numbers are kept: its digits, and the plus if it began with one."""
    return ("+" if search.startswith("+") else "") + "".join(filter(str.isdigit, search))


def _opened_by(search: str, found: list[Handset]) -> str:
    if _WHOLE_NUMBER.fullmatch(search) and not found:
        return e164(search)
    return found[0].number if found else ""


def _nobody(view: View) -> str:
    if view.search:
        return "<li class=none>No handset has this in its number yet.</li>"
    return "<li class=none>No text arrived yet. Bind to the SMPP port, or ask one of the vendors, and send one.</li>"


def _pages(view: View, shown: int, total: int) -> str:
    if total <= _SHOWN_HANDSETS and not view.skip:
        return f"{total:,} handsets" if total > 1 else ""
    said = [f"{view.skip + 1:,} to {view.skip + shown:,} of {total:,}"]
    if view.skip:
        said.insert(0, _link("Newer", view, max(0, view.skip - _SHOWN_HANDSETS)))
    if view.skip + shown < total:
        said.append(_link("Older", view, view.skip + _SHOWN_HANDSETS))
    return " ".join(said)


def _link(words: str, view: View, skip: int) -> str:
    return f'<a href="./?{_query(view, view.number, skip)}">{words}</a>'


def _query(view: View, number: str, skip: int) -> str:
    asked = {"number": number, "search": view.search, "skip": str(skip) if skip else ""}
    return escape(urlencode({name: value for name, value in asked.items() if value}))


def spaced(number: str) -> str:
    """A US number as people write it there; any other as it is."""
    if number.startswith("+1") and len(number) == 12:
        return f"{number[:2]} {number[2:5]}-{number[5:8]}-{number[8:]}"
    return number


def _row(handset: Handset, view: View) -> str:
    newest: list[Text | HandsetReply] = [*handset.texts[-1:], *handset.replies[-1:]]
    last = max(newest, key=lambda entry: entry.at, default=None)
    return _template("handset.html").substitute(
        link=_query(view, handset.number, view.skip),
        current='aria-current="page"' if handset.number == view.number else "",
        number=escape(spaced(handset.number)),
        last=escape(last.body[:80]) if last else "",
        count=f"{handset.arrived:,}",
    )


def _thread(handset: Handset) -> str:
    latest: list[Text | HandsetReply] = [*handset.texts[-_SHOWN_TEXTS:], *handset.replies[-_SHOWN_TEXTS:]]
    latest.sort(key=lambda entry: entry.at)
    earlier = len(handset.texts) + len(handset.replies) - _SHOWN_TEXTS
    above = f"<li class=none>{earlier:,} earlier ones are not shown.</li>" if earlier > 0 else ""
    return above + "".join(_bubble(entry) for entry in latest[-_SHOWN_TEXTS:])


def _bubble(entry: Text | HandsetReply) -> str:
    at = datetime.fromtimestamp(entry.at, UTC)
    side, about = _about_text(entry) if isinstance(entry, Text) else _about_reply(entry)
    return _template("bubble.html").substitute(
        side=side,
        body=escape(entry.body),
        media="".join(_picture(one if isinstance(one, str) else one.url) for one in entry.media),
        iso=at.isoformat(timespec="milliseconds"),
        time=at.strftime("%H:%M:%S UTC"),
        about=escape(" · ".join(about)),
    )


def _picture(url: str) -> str:
    """A file as the phone shows it: in place where a browser can, else as a link."""
    address = escape(url if url.startswith(("https://", "http://")) else "#")
    if _FILM.search(url):
        return f'<p class="media"><video controls preload="metadata" src="{address}"></video></p>'
    if _DOCUMENT.search(url):
        return f'<p class="media"><a href="{address}" rel="noreferrer">{escape(url.rpartition("/")[2])}</a></p>'
    return f'<p class="media"><img alt="a picture" loading="lazy" referrerpolicy="no-referrer" src="{address}"></p>'


def _about_text(text: Text) -> tuple[str, list[str]]:
    about = [f"from {spaced(text.source)}", *_size(len(text.submits), text.encoding)]
    if text.via != SMPP:
        about.append(f"by {text.via}")
    if max(text.submits) > 1:
        about.append(f"parts submitted {'+'.join(map(str, text.submits))} times")
    return "in", about


def _about_reply(reply: HandsetReply) -> tuple[str, list[str]]:
    about = [f"to {spaced(reply.to)}", *_size(reply.parts, reply.encoding), _STATES[reply.state]]
    if reply.sends > len(reply.order):
        about.append(f"sent {reply.sends} times")
    return "out", about


def _size(parts: int, encoding: str) -> list[str]:
    return [f"{parts} {'part' if parts == 1 else 'parts'}", _ENCODINGS.get(encoding, encoding)]
