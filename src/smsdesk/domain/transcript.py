"""A chat as it reads: who said what, and what happened in between, in the order in which it was so.

The form is that of the imitated product's transcript files: a head with id and date, a segment for each side's turn
with its time and name, the last name as an initial, files as addresses, and `[time System] ...` for what happened.
What a side said stands indented, so that no text can be taken for a line of the system.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from smsdesk.domain.chat_life import ENDED, WAITING, WITH_AN_AGENT
from smsdesk.domain.chat_record import ChatRecord, Said, Span
from smsdesk.domain.media import Media
from smsdesk.domain.transfer import Transfer

Kind = Literal["message", "note", "activity"]
SYSTEM = "System"
_ENDS = {
    "disconnected_by_agent": "by the agent",
    "disconnected_by_end_user": "by the customer",
    "disconnected_by_system": "by the system",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """One side's turn, or something that happened."""

    at: datetime
    kind: Kind
    sender: str
    """`end_user`, `agent`, `api`, `system` or `note`; `activity` for what happened."""
    agent_id: int | None
    name: str
    texts: tuple[str, ...]
    media: tuple[Media, ...] = ()


def segments(record: ChatRecord, *, notes: bool = False) -> list[Segment]:
    """The chat in its order; what one side said without another turn in between is one segment. `notes`: also what the
    desk wrote for itself."""
    said = [_spoken(record, one) for one in record.said if notes or one.sender != "note"]
    # Of one moment, what was said comes first, for it made happen what happened; but nothing before the beginning.
    start, *later = _activities(record)
    happened = [start, *sorted([*said, *later], key=lambda one: (one.at, one.kind == "activity"))]
    joined: list[Segment] = []
    for one in happened:
        last = joined[-1] if joined else None
        if last and one.kind == last.kind != "activity" and (one.sender, one.agent_id) == (last.sender, last.agent_id):
            joined[-1] = Segment(
                last.at, last.kind, last.sender, last.agent_id, last.name, last.texts + one.texts,
                last.media + one.media,
            )  # fmt: skip
        else:
            joined.append(one)
    return joined


def render(record: ChatRecord, *, notes: bool = False) -> str:
    """The transcript as plain text, its times by the desk's clock."""
    zone = ZoneInfo(record.time_zone)
    chat, day = record.chat, record.chat.created_at.astimezone(zone).date()
    lines = [f"Chat ID: {chat.chat_id}", f"Date: {day.isoformat()} ({record.time_zone})"]
    for one in segments(record, notes=notes):
        local = one.at.astimezone(zone)
        clock = local.strftime("%H:%M:%S" if local.date() == day else "%Y-%m-%d %H:%M:%S")
        if one.kind == "activity":
            lines += ["", f"[{clock} {SYSTEM}] {one.texts[0]}"]
            continue
        lines += ["", f"[{clock} {one.name}]"]
        lines += [f"  {line}" for text in one.texts for line in text.splitlines()]
        lines += [f"  {_address(each)}" for each in one.media]
    return "\n".join(lines) + "\n"


def _address(media: Media) -> str:
    if media.url is not None:
        return media.url
    return f"({media.name or media.kind or 'file'}: {media.reason or 'not here yet'})"


def _spoken(record: ChatRecord, one: Said) -> Segment:
    name = {
        "end_user": record.consumer.short_name,
        "api": record.company,
        "system": f"{record.company}, automatic",
    }.get(one.sender)
    if one.sender == "note":
        name = f"{record.agent_name(one.agent_id) if one.agent_id else SYSTEM}, note"
    kind: Kind = "note" if one.sender == "note" else "message"
    texts = (one.body,) if one.body else ()
    return Segment(one.at, kind, one.sender, one.agent_id, name or record.agent_name(one.agent_id), texts, one.media)


def _activities(record: ChatRecord) -> Iterator[Segment]:
    # What somebody did comes before what the chat became of it, for both are of one moment.
    yield _happened(record.chat.created_at, _beginning(record))
    for asked in record.asked:
        yield _happened(asked.at, f"{record.agent_name(asked.agent_id)} {asked.state} the offer.")
    for transfer in record.chat.transfers:
        yield from _transferred(record, transfer)
    for before, span in pairwise(record.spans):
        if words := _change(record, before, span):
            yield _happened(span.started_at, words)
    if len(record.spans) == 1 and record.chat.ends_at:
        yield _happened(record.chat.ends_at, _end(record))
    for one in record.chat.participants:
        if one.role == "supervisor":
            name = record.agent_name(one.user_id)
            yield _happened(one.connected_at, f"{name} joined as a supervisor.")
            if one.ended_at and one.ended_at != record.chat.ends_at:
                yield _happened(one.ended_at, f"{name} left.")


def _beginning(record: ChatRecord) -> str:
    first = record.spans[0]
    by = "the customer" if record.direction == "inbound" else record.company
    has = f" {record.agent_name(first.agent_id)} has the chat." if first.status in WITH_AN_AGENT else ""
    return f"Chat started by {by}.{has}"


def _end(record: ChatRecord) -> str:
    by = _ENDS.get(record.chat.disconnected_by)
    why = f": {record.chat.fail_reason}" if record.chat.fail_reason else ""
    return f"Chat {record.chat.status}{f' {by}' if by else ''}{why}."


def _change(record: ChatRecord, before: Span, now: Span) -> str | None:
    """What a new status is, in words; None where nobody needs to be told."""
    if now.status in ENDED:
        return _end(record)
    if now.status == "dismissed":
        return "Chat dismissed: the customer is inactive."
    if now.status in WAITING:
        place = record.queue_name(now.queue_id)
        return f"Chat {'resumed' if now.status == 'resumed' else 'waits'}{f' in {place}' if place else ''}."
    if now.agent_id is not None and now.agent_id != before.agent_id:
        return f"{record.agent_name(now.agent_id)} has the chat."
    return None


def _transferred(record: ChatRecord, transfer: Transfer) -> Iterator[Segment]:
    by = record.agent_name(transfer.from_agent.agent_id) if transfer.from_agent else "A supervisor"
    # Who took it out of a queue is in the transfer too; it was not meant for him.
    if transfer.to_queue_id is None and transfer.to_agent:
        to = record.agent_name(transfer.to_agent.agent_id)
    else:
        to = record.queue_name(transfer.to_queue_id) or "another queue"
    yield _happened(transfer.created_at, f"{by} transferred the chat to {to} ({transfer.kind}).")
    if transfer.ended_at and transfer.status in ("cancelled", "failed"):
        why = f": {transfer.fail_reason}" if transfer.fail_reason != "nothing" else ""
        how = "failed" if transfer.status == "failed" else "was cancelled"
        yield _happened(transfer.ended_at, f"The transfer to {to} {how}{why}.")


def _happened(at: datetime, words: str) -> Segment:
    return Segment(at, "activity", "activity", None, SYSTEM, (words,))
