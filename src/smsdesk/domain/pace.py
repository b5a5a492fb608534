"""How many segments may leave when: windows that slide, and the limits that a tenant's texts share. Pure: told the
time, in seconds of one clock."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Scope = Literal["number", "campaign", "brand", "carrier", "tenant"]
SCOPES: tuple[Scope, ...] = ("number", "campaign", "brand", "carrier", "tenant")
_GRAIN = 500
"""Windows are kept in grains of a 500th: a window that is used to the full loses at most a 500th of its rate."""


class SlidingWindow:
    """At most `cap` segments in any `seconds`, wherever those begin.

    A segment counts from when it may leave until one window after the carrier answered for it. So whatever the way to
    the carrier costs, the segment that takes its place arrives at least one window after it did.
    """

    def __init__(self, cap: int, seconds: float) -> None:
        """ValueError for a cap or a time that lets nothing through."""
        if cap < 1 or seconds <= 0:
            raise ValueError("a limit needs at least one segment in more than no time")
        self.cap = cap
        self.seconds = seconds
        self._grain = seconds / _GRAIN
        self._aside = 0
        self._open = 0
        self._counted = 0
        # (when the first of a grain stops counting, when all of them do, how many), in the order of those times
        self._leaving: deque[tuple[float, float, int]] = deque()

    def coming(self, now: float, ahead: float) -> int:
        """Segments that may leave now or within `ahead` seconds, beside those that are set aside."""
        free = self.cap - self._aside - self._open - self._counted
        for _, until, count in self._leaving:
            if until > now + ahead:
                break
            free += count
        return max(0, free)

    def set_aside(self, segments: int) -> None:
        """Keeps segments from `coming` for a text that is about to leave; a negative number gives them back."""
        self._aside += segments

    def wait(self, segments: int, now: float) -> float:
        """Seconds until so many may leave, as far as answers that are known tell: 0.0 for now. More than the cap wait
        for an empty window."""
        self._forget(now)
        short = min(segments, self.cap) + self._open + self._counted - self.cap
        if short <= 0:
            return 0.0
        for _, until, count in self._leaving:
            short -= count
            if short <= 0:
                return max(until - now, 0.0)
        # The others are on their way: they count for a whole window after their answer.
        return self.seconds

    def take(self, segments: int) -> None:
        """Counts segments that leave now."""
        self._open += segments

    def answered(self, segments: int, now: float) -> None:
        """Counts them for one window more, and no longer."""
        self._open -= segments
        self.count(segments, now + self.seconds)

    def count(self, segments: int, until: float) -> None:
        """Counts segments of before, such as those of a process that died, until then."""
        self._counted += segments
        if self._leaving and until - self._leaving[-1][0] < self._grain:
            # Those of a grain stop counting together, with the last of them: later than they must, never earlier.
            first, last, count = self._leaving.pop()
            self._leaving.append((first, max(last, until), count + segments))
        else:
            self._leaving.append((until, until, segments))

    def _forget(self, now: float) -> None:
        while self._leaving and self._leaving[0][1] <= now:
            self._counted -= self._leaving.popleft()[2]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `segments` in any `seconds` for one thing of a scope; `name` is that thing, empty for the tenant."""

    scope: Scope
    name: str
    segments: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Sender:
    """What a number of ours belongs to, where it does."""

    campaign: str | None = None
    brand: str | None = None


class Pacer:
    """All limits of one tenant, kept at once: a segment leaves when each limit that it falls under lets it."""

    def __init__(self, limits: Iterable[Limit], senders: Mapping[str, Sender]) -> None:
        """`senders` says for each number of ours what it belongs to."""
        self._windows: dict[tuple[Scope, str], list[SlidingWindow]] = {}
        for limit in limits:
            windows = self._windows.setdefault((limit.scope, limit.name), [])
            windows.append(SlidingWindow(limit.segments, limit.seconds))
        self._senders = senders
        self._over: dict[tuple[str, str], tuple[SlidingWindow, ...]] = {}

    @property
    def longest(self) -> float:
        """Seconds of the longest window; 0.0 without limits."""
        return max((one.seconds for windows in self._windows.values() for one in windows), default=0.0)

    def windows(self, source: str, carrier: str) -> tuple[SlidingWindow, ...]:
        """The windows that a segment from this number over this carrier falls under."""
        found = self._over.get((source, carrier))
        if found is None:
            sender = self._senders.get(source, Sender())
            names = (source, sender.campaign, sender.brand, carrier, "")
            keys = [(scope, name) for scope, name in zip(SCOPES, names, strict=True) if name is not None]
            found = tuple(window for key in keys for window in self._windows.get(key, ()))
            self._over[source, carrier] = found
        return found

    def coming(self, source: str, carrier: str, now: float, ahead: float) -> int | None:
        """Segments that may leave now or within `ahead` seconds, beside those that are set aside; None where there is
        no limit."""
        windows = self.windows(source, carrier)
        return min((window.coming(now, ahead) for window in windows), default=None)

    def set_aside(self, source: str, carrier: str, segments: int) -> None:
        """Keeps segments for a text that is about to leave; a negative number gives them back."""
        for window in self.windows(source, carrier):
            window.set_aside(segments)

    def wait(self, source: str, carrier: str, segments: int, now: float) -> float:
        """Seconds until so many may leave: 0.0 for now."""
        return max((window.wait(segments, now) for window in self.windows(source, carrier)), default=0.0)

    def take(self, source: str, carrier: str, segments: int) -> None:
        """Counts segments that leave now, over every limit."""
        for window in self.windows(source, carrier):
            window.take(segments)

    def answered(self, source: str, carrier: str, segments: int, now: float) -> None:
        """Counts them one window more."""
        for window in self.windows(source, carrier):
            window.answered(segments, now)

    def count(self, source: str, carrier: str, segments: int, at: float) -> None:
        """Counts segments that left at a moment of before."""
        for window in self.windows(source, carrier):
            window.count(segments, at + window.seconds)
