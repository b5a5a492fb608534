"""What every carrier promises, whatever it speaks: the worker knows carriers by this page alone."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from smsdesk.domain.media import MediaSource
from smsdesk.domain.segments import Segments


@dataclass(frozen=True, slots=True)
class OutboundText:
    """One text on its way to a phone. Numbers are E.164 with the plus."""

    tenant_id: int
    text_id: int
    attempt: int
    """1 for the first try. An outcome counts only for the attempt that it names."""
    source: str
    destination: str
    segments: Segments
    valid_until: datetime
    media: tuple[str, ...] = ()
    """Public addresses of the files that go with it, which expire; none over a line that carries no files."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took every part; `part_ids` are its names for them, in order."""

    part_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier answered no, so the phone gets nothing (or, with `part_ids`, only those parts)."""

    reason: str
    """One of `domain.outcome.REASONS`: what went wrong in our words."""
    code: str
    """What went wrong in the carrier's words, such as `0x00000058`."""
    retry_after: float | None = None
    """Seconds until another attempt makes sense; None means never. Always None once a part was taken."""
    part_ids: tuple[str | None, ...] = ()
    """The names of the parts from the first to the last that was taken; None for each between that was not."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """No byte of this text left, for certain: it may be sent by anybody, at once."""

    detail: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Bytes left and no answer came: the phone may or may not get it. Never sent again by itself."""

    detail: str
    part_ids: tuple[str | None, ...] = ()
    """The names of the parts that were answered for; None for each part that was not."""


Outcome = Accepted | Refused | Unsent | Doubtful


@dataclass(frozen=True, slots=True)
class Doubt:
    """A doubtful attempt of which the carrier is asked what became of it."""

    text: OutboundText
    part_ids: tuple[str | None, ...]
    """The carrier's names of the parts, in order; None for each that it did not answer for."""
    sent_at: datetime
    """When the attempt was claimed: no octet of it left before."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery report for one part, or for a whole text."""

    part_id: str
    """As `Accepted.part_ids` gave it, after this carrier's own normalisation of ids."""
    state: str
    """`delivered`, `undelivered`, `expired`, `failed`, or `sent` for an interim report."""
    reason: str | None
    """One of `domain.outcome.REASONS` where the state is a failure."""
    code: str
    """The carrier's own words, such as `stat:UNDELIV err:012`."""
    number: str | None = None
    """The phone that it reports on, E.164 with the plus, where it says so."""
    reference: int | None = None
    """`OutboundText.text_id` modulo 65,536, where the carrier gives back what it was sent with."""
    whole: bool = False
    """It speaks of all parts of the text, for which the carrier has one name."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A text, or one part of one, that a phone sent to a number of ours."""

    source: str
    destination: str
    body: str
    carrier_reference: str | None
    """The carrier's own name for it, the same when the carrier sends it again. None where it has none."""
    session: str
    """Names the connection that it came over. The same reply over another connection may be a repetition."""
    part: tuple[int, int, int] | None = None
    """(reference, part number from 1, parts in all) for a part of a long text."""
    encoding: str = "gsm7"
    payload: bytes = field(default=b"", repr=False)
    """The undecoded octets of the text."""
    media: tuple[MediaSource, ...] = ()
    """Files that came with it, which the carrier keeps for us."""


@dataclass(frozen=True, slots=True)
class Found:
    """The carrier has the text: its names for the parts, and what it knows of them by now."""

    part_ids: tuple[str | None, ...]
    receipts: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """The carrier says, for certain, that it never took the text."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The carrier cannot say (now)."""

    detail: str


LookUp = Found | Absent | Unknown


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """An HTTP request that says it comes from a carrier. Nothing of it is believed before its proof."""

    method: str
    path: str
    """What follows the carrier's own callback address, without a slash in front; often empty."""
    query: str
    """As it came, undecoded, without the question mark."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """What a proven request said, and the answer that its sender expects once all of it is on disk."""

    facts: tuple[Receipt | Reply, ...]
    status: int = 204
    content_type: str = ""
    body: bytes = b""


class Forged(Exception):
    """The proof of a callback is missing, wrong or too old; the text says which, without any secret."""


class Unreadable(ValueError):
    """A proven callback does not say what the carrier's documentation promises; the text says what is missing."""


class Pace(Protocol):
    """The limits that a line keeps, in segments. Every segment is counted from `take` until one window after
    `answered`, so that no way to the carrier, however slow, makes two windows meet at its end."""

    def take(self, text: OutboundText, segments: int) -> float:
        """0.0: so many segments of the text may leave now, and are counted. Else nothing is counted, and it says after
        how many seconds it is worth asking again. Infinity: no more of the text may leave, since others may have taken
        this process for dead meanwhile; the line gives it back, or doubts it where it has begun to write it."""

    def answered(self, text: OutboundText, segments: int) -> None:
        """The carrier has answered for so many segments that were taken, or will never answer."""


class Unpaced:
    """No limits."""

    def take(self, text: OutboundText, segments: int) -> float:
        return 0.0

    def answered(self, text: OutboundText, segments: int) -> None:
        return None


class Sink(Protocol):
    """Where a carrier puts what it learned. Calls return at once; the futures end when the fact is on disk."""

    def outcome(self, text: OutboundText, outcome: Outcome) -> None: ...
    def receipt(self, receipt: Receipt) -> asyncio.Future[None]: ...
    def reply(self, reply: Reply) -> asyncio.Future[None]: ...
    def room(self) -> None:
        """The line can take texts again: it came up, or its window has space."""


class Carrier(Protocol):
    """One configured line. Every text handed over gets exactly one outcome, unless the process dies first."""

    def room(self) -> int:
        """How many texts the line would put on the wire now; 0 while it is down or slowed."""

    def send(self, texts: Sequence[OutboundText]) -> None:
        """Puts texts on the wire in this order. Never blocks; outcomes come through the sink."""

    async def run(self, sink: Sink) -> None:
        """Keeps the line up until cancelled. On cancelling, stops taking texts, waits for open answers a bounded
        time, reports an outcome for all that it still holds, and closes the line politely."""

    def state(self) -> str:
        """One line for people: `bound`, `connecting`, `down: connection refused`."""

    def up(self) -> bool:
        """Whether texts can leave at all, as far as the line knows: it is bound, or it needs no connection. A line that
        is full or slowed for a while is up."""

    async def look_up(self, doubt: Doubt) -> LookUp:
        """Asks the carrier what became of an attempt, within some seconds. Sends no text; never raises."""


@dataclass(frozen=True, slots=True)
class MediaAccess:
    """How the files that a carrier keeps for us are had: these headers, at its own address and nowhere else."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)


def words_alone(_config: Any) -> int:
    """For a kind of line that carries no files."""
    return 0


@dataclass(frozen=True, slots=True)
class CarrierType:
    """A kind of line: what a person sets for it, and what makes one of it."""

    Config: type[Struct]
    make: Callable[..., Carrier]
    """Called with (tenant_id, name, config, clock=seconds, random=0..1, log=, pace=); raises ValueError for a bad
    setting."""
    callback: Callable[[Any, CallbackRequest, datetime], Callback] | None = None
    """Reads what the carrier posts to us at a moment, given the line's Config; raises Forged or Unreadable. None: the
    carrier posts nothing."""
    media: Callable[[Any], MediaAccess] | None = None
    """The key to what came with replies, given the line's Config. None: replies bring nothing."""
    most_media: Callable[[Any], int] = words_alone
    """How many files may go with a text over a line of this Config."""
