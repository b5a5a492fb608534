"""What each phone holds: pure bookkeeping, no clock, no network."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import dropwhile, islice

from msgspec import Struct

from smsdesk.domain.segments import Segments
from smsdesk.lab.journal import Journal
from smsdesk.lab.pictures import Attached
from smsdesk.lab.reading import Part, decode_parts
from smsdesk.lab.submission import SMPP, Submission

_INCOMPLETE_MAX = 100_000
_REPLIES_MAX = 10_000
_EVICT_SHARE = 64


class Text(Struct, frozen=True, gc=False):
    """One text as its handset shows it. The same text submitted twice is two of these."""

    index: int
    """Order of arrival over all handsets, from 1; never used again, not even after a reset."""
    number: str
    source: str
    body: str
    encoding: str
    data_coding: int
    carrier_ids: tuple[str, ...]
    """The message ids that the sender was given, in the order of the parts."""
    submits: tuple[int, ...]
    """How many submit_sm brought each part: 1 each, unless a part was sent again before the text was whole."""
    system_id: str
    """The system or the vendor's account that sent it."""
    first_at: float
    """Seconds since 1970: the first part came. `at`: the text was whole."""
    at: float
    via: str = SMPP
    """`smpp`, or the HTTP vendor's name."""
    media: tuple[str, ...] = ()
    """The addresses of what came with it."""


@dataclass(slots=True)
class Incomplete:
    """Parts that wait for their sisters."""

    first_at: float
    parts: dict[int, Part] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    submits: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class HandsetReply:
    """A text typed at a handset, on its way to who owns the number."""

    index: int
    number: str
    to: str
    body: str
    segments: Segments
    message_ids: tuple[str, ...]
    """One for each part; the same each time that the part is sent."""
    at: float
    order: tuple[int, ...]
    """The part numbers as they leave: in order, once each, unless a fault shuffles them or loses one."""
    media: tuple[Attached, ...] = ()
    copies: int = 1
    """How often all of it leaves; over 1 by a fault only."""
    sends: int = 0
    """deliver_sm or callbacks in all, repetitions included."""
    answered: int = 0
    """Parts that were taken for good."""
    refused: int = 0
    """Parts that were refused for good."""

    @property
    def encoding(self) -> str:
        """`gsm7`, `ucs2`, ..., as `domain.gsm` names them."""
        return self.segments.encoding

    @property
    def parts(self) -> int:
        """How many parts it has."""
        return len(self.segments.parts)

    @property
    def state(self) -> str:
        """`waiting` for a line, `sent`, `answered` when all parts that left were taken, or `refused`."""
        if self.refused:
            return "refused"
        if self.answered >= len(self.order) * self.copies:
            return "answered"
        return "sent" if self.sends else "waiting"


@dataclass(slots=True)
class Handset:
    """One phone: the texts and replies that it keeps, and how many ever arrived."""

    number: str
    texts: list[Text] = field(default_factory=list)
    replies: list[HandsetReply] = field(default_factory=list)
    arrived: int = 0
    last_at: float = 0.0
    auto_reply: str | None = None


class Handsets:
    """All phones. Keeps at most `limit` texts in all: beyond it the oldest 64th go, and `evicted` counts them."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.by_number: dict[str, Handset] = {}
        self.evicted = 0
        self.auto_reply: str | None = None
        """What every handset without an automatic reply of its own answers."""
        self._texts: Journal[Text] = Journal(limit)
        self._incomplete: dict[tuple[str, str, int, int], Incomplete] = {}

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def last_index(self) -> int:
        """The index of the text that arrived last."""
        return self._texts.last_index

    @property
    def incomplete(self) -> int:
        """How many long texts still lack a part."""
        return len(self._incomplete)

    def handset(self, number: str) -> Handset:
        """The handset of a number; it comes into being when first asked for."""
        handset = self.by_number.get(number)
        if handset is None:
            handset = self.by_number[number] = Handset(number)
        return handset

    def join(self, part: Part, message_id: str, at: float) -> Text | None:
        """Keeps one part of a long text that arrived at `at` (seconds since 1970); returns the text when this made it
        whole."""
        key = (part.source, part.destination, part.reference, part.total)
        waiting = self._incomplete.get(key)
        if waiting is None:
            if len(self._incomplete) >= _INCOMPLETE_MAX:
                del self._incomplete[next(iter(self._incomplete))]
                self.evicted += 1
            waiting = self._incomplete[key] = Incomplete(at)
        waiting.parts.setdefault(part.number, part)
        waiting.ids.setdefault(part.number, message_id)
        waiting.submits[part.number] = waiting.submits.get(part.number, 0) + 1
        if len(waiting.parts) < part.total:
            return None
        del self._incomplete[key]
        order = range(1, part.total + 1)
        body, encoding = decode_parts(tuple(waiting.parts[n] for n in order))
        whole = Submission(
            SMPP, part.system_id, part.source, part.destination, body, encoding, part.total, part.data_coding
        )
        ids = tuple(waiting.ids[n] for n in order)
        return self.keep(whole, ids, tuple(waiting.submits[n] for n in order), waiting.first_at, at)

    def keep(
        self,
        whole: Submission,
        ids: tuple[str, ...],
        submits: tuple[int, ...],
        first_at: float,
        at: float,
    ) -> Text:
        """Shows a whole text at its handset; times are seconds since 1970."""
        handset = self.handset(whole.destination)
        text = Text(
            self._texts.last_index + 1,
            handset.number,
            whole.source,
            whole.body,
            whole.encoding,
            whole.data_coding,
            ids,
            submits,
            whole.system,
            first_at,
            at,
            whole.via,
            whole.media,
        )
        handset.texts.append(text)
        handset.arrived += 1
        handset.last_at = at
        if going := self._texts.append(text):
            self._evict(going)
        return text

    def _evict(self, going: list[Text]) -> None:
        self.evicted += len(going)
        # Each handset is in the order of the journal, so what goes is at its beginning.
        for number, count in Counter(text.number for text in going).items():
            handset = self.by_number[number]
            del handset.texts[:count]
            if not (handset.texts or handset.replies or handset.auto_reply):
                del self.by_number[number]

    def typed(self, reply: HandsetReply) -> None:
        """Keeps a reply at its handset, which holds the last ten thousand."""
        handset = self.handset(reply.number)
        handset.last_at = reply.at
        handset.replies.append(reply)
        if len(handset.replies) > _REPLIES_MAX:
            del handset.replies[: _REPLIES_MAX // _EVICT_SHARE]

    def after(self, index: int, limit: int, number: str | None = None) -> list[Text]:
        """Up to `limit` kept texts whose index is greater, oldest first; of one number if given."""
        if number is None:
            return self._texts.after(index, limit)
        texts: Iterable[Text] = self.by_number[number].texts if number in self.by_number else ()
        return list(islice(dropwhile(lambda text: text.index <= index, texts), limit))

    def page(self, index: int, limit: int) -> tuple[list[Text], int]:
        """Up to `limit` kept texts whose index is greater, oldest first, and the index of the last of them."""
        return self._texts.page(index, limit)

    def latest(self, search: str = "", skip: int = 0, limit: int = 100) -> tuple[list[Handset], int]:
        """Handsets whose number has `search` in it, the one that something happened at last first, without the first
        `skip`; and how many there are of them in all."""
        found = [handset for number, handset in self.by_number.items() if search in number]
        return nlargest(skip + limit, found, key=lambda handset: handset.last_at)[skip:], len(found)

    def reset(self) -> int:
        """Empties every handset, complete or not, with its automatic replies; returns how many texts went."""
        self.by_number.clear()
        self._incomplete.clear()
        self.evicted = 0
        self.auto_reply = None
        return self._texts.clear()
