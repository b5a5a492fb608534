"""What each phone holds: pure bookkeeping, no clock, no network."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import dropwhile, islice

from msgspec import Struct

from smsdesk.lab.reading import Part, decode_parts

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
    """The lab's message ids, in the order of the parts."""
    submits: tuple[int, ...]
    """How many submit_sm brought each part: 1 each, unless a part was sent again before the text was whole."""
    system_id: str
    first_at: float
    """Seconds since 1970: the first part came. `at`: the text was whole."""
    at: float


@dataclass(slots=True)
class Incomplete:
    """Parts that wait for their sisters."""

    first_at: float
    parts: dict[int, Part] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    submits: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class HandsetReply:
    """One text that somebody typed at a handset, on its way to an ESME."""

    index: int
    number: str
    to: str
    body: str
    encoding: str
    parts: int
    message_ids: tuple[str, ...]
    """One for each part; the same each time that the part is sent."""
    at: float
    sends: int = 0
    """deliver_sm in all, repetitions included."""
    answered: int = 0
    """Parts that the ESME took for good."""
    refused: int = 0
    """Parts that the ESME refused for good."""

    @property
    def state(self) -> str:
        """`waiting` for a line, `sent`, `answered` when the ESME took all parts, or `refused`."""
        if self.refused:
            return "refused"
        if self.answered == self.parts:
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
        self.limit = limit
        self.evicted = 0
        self.last_index = 0
        self.auto_reply: str | None = None
        """What every handset without an automatic reply of its own answers."""
        self._log: list[Text] = []
        self._incomplete: dict[tuple[str, str, int, int], Incomplete] = {}

    def __len__(self) -> int:
        return len(self._log)

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

    def arrive(self, part: Part, message_id: str, at: float) -> Text | None:
        """Keeps one part that arrived at `at` (seconds since 1970); returns the text when this made it whole."""
        if part.total == 1:
            return self._keep(part, (part,), (message_id,), (1,), (at, at))
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
        return self._keep(
            part,
            tuple(waiting.parts[n] for n in order),
            tuple(waiting.ids[n] for n in order),
            tuple(waiting.submits[n] for n in order),
            (waiting.first_at, at),
        )

    def _keep(
        self,
        last: Part,
        parts: tuple[Part, ...],
        ids: tuple[str, ...],
        submits: tuple[int, ...],
        times: tuple[float, float],
    ) -> Text:
        self.last_index += 1
        handset = self.handset(last.destination)
        body, encoding = decode_parts(parts)
        text = Text(
            self.last_index,
            handset.number,
            last.source,
            body,
            encoding,
            last.data_coding,
            ids,
            submits,
            last.system_id,
            *times,
        )
        handset.texts.append(text)
        handset.arrived += 1
        handset.last_at = text.at
        self._log.append(text)
        if len(self) > self.limit:
            self._evict()
        return text

    def _evict(self) -> None:
        going = self._log[: max(1, self.limit // _EVICT_SHARE)]
        del self._log[: len(going)]
        self.evicted += len(going)
        # Each handset is in the order of the log, so what goes is at its beginning.
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
        if number is not None:
            texts: Iterable[Text] = self.by_number[number].texts if number in self.by_number else ()
            return list(islice(dropwhile(lambda text: text.index <= index, texts), limit))
        # Indexes in the log have no gaps.
        start = max(0, index + len(self) - self.last_index)
        return self._log[start : start + limit]

    def reset(self) -> int:
        """Empties every handset, complete or not, with its automatic replies; returns how many texts went."""
        gone = len(self)
        self.by_number.clear()
        self._log.clear()
        self._incomplete.clear()
        self.evicted = 0
        self.auto_reply = None
        return gone
