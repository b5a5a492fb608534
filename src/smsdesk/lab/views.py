"""What the HTTP API says of a text, a reply and a handset."""

from datetime import UTC, datetime

import msgspec

from smsdesk.lab.feed import Happening
from smsdesk.lab.handsets import Handset, HandsetReply, Text
from smsdesk.lab.stats import LineInfo


class TextView(msgspec.Struct):
    """A text that arrived. `submits` counts the submit_sm of each part, `carrier_ids` are the answers' message ids."""

    index: int
    number: str
    source: str
    body: str
    parts: int
    encoding: str
    data_coding: int
    carrier_ids: tuple[str, ...]
    submits: tuple[int, ...]
    system_id: str
    via: str
    first_at: str
    at: str
    media: tuple[str, ...]


class ReplyView(msgspec.Struct):
    """A reply typed at a handset; `sends` counts its deliver_sm, repetitions included."""

    index: int
    number: str
    to: str
    body: str
    parts: int
    encoding: str
    message_ids: tuple[str, ...]
    state: str
    sends: int
    at: str
    media: tuple[str, ...]


class HandsetView(msgspec.Struct):
    """One phone and how many texts it got."""

    number: str
    arrived: int
    kept: int
    replies: int
    last_at: str | None
    auto_reply: str | None


def instant(seconds: float) -> str:
    """UTC with microseconds, such as `2026-11-22T10:15:00.000000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def text(t: Text) -> TextView:
    """One text for the API."""
    return TextView(
        index=t.index,
        number=t.number,
        source=t.source,
        body=t.body,
        parts=len(t.submits),
        encoding=t.encoding,
        data_coding=t.data_coding,
        carrier_ids=t.carrier_ids,
        submits=t.submits,
        system_id=t.system_id,
        via=t.via,
        first_at=instant(t.first_at),
        at=instant(t.at),
        media=t.media,
    )


def reply(r: HandsetReply) -> ReplyView:
    """One reply for the API, as it stands now."""
    return ReplyView(
        index=r.index,
        number=r.number,
        to=r.to,
        body=r.body,
        parts=r.parts,
        encoding=r.encoding,
        message_ids=r.message_ids,
        state=r.state,
        sends=r.sends,
        at=instant(r.at),
        media=tuple(one.url for one in r.media),
    )


def handset(h: Handset) -> HandsetView:
    """One handset for the API."""
    last = instant(h.last_at) if h.last_at else None
    return HandsetView(h.number, h.arrived, len(h.texts), len(h.replies), last, h.auto_reply)


def event(item: Happening) -> bytes:
    """One server-sent event."""
    match item:
        case Text():
            return b"event: text\ndata: " + msgspec.json.encode(text(item)) + b"\n\n"
        case HandsetReply():
            return b"event: reply\ndata: " + msgspec.json.encode(reply(item)) + b"\n\n"
        case LineInfo():
            return b"event: line\ndata: " + msgspec.json.encode(item) + b"\n\n"
