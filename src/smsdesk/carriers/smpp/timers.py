"""Decisions about time, pure: each is told the time and says what is due. All times are seconds of one clock."""

from collections.abc import Callable
from typing import Literal


class LinkTimer:
    """Whether the other end still lives (SMPP 3.4 section 7.2: enquire_link_timer, response_timer)."""

    def __init__(self, enquire_link: float, response_timeout: float, now: float) -> None:
        self._enquire_link = enquire_link
        self._response_timeout = response_timeout
        self._heard = now
        self._asked: float | None = None

    def heard(self, now: float) -> None:
        """Notes that octets arrived: any of them prove life, and answer an open enquire_link."""
        self._heard = now
        self._asked = None

    def check(self, now: float) -> Literal["quiet", "enquire", "dead"]:
        """Says `enquire` once after `enquire_link` seconds of silence, `dead` when that brought nothing in
        `response_timeout` seconds, else `quiet`."""
        if self._asked is not None:
            return "dead" if now - self._asked >= self._response_timeout else "quiet"
        if now - self._heard < self._enquire_link:
            return "quiet"
        self._asked = now
        return "enquire"


class Backoff:
    """Pauses that double from `first` to `longest`, each shortened by chance to no less than its half, so that many
    lines do not come back at the same instant."""

    def __init__(self, first: float, longest: float, random: Callable[[], float]) -> None:
        self._first = first
        self._longest = longest
        self._random = random
        self._next = first

    def pause(self) -> float:
        """Gives the next pause."""
        pause = self._next
        self._next = min(2 * pause, self._longest)
        return pause * (0.5 + self._random() / 2)

    def reset(self) -> None:
        """Starts over, after a success."""
        self._next = self._first


class Throttle:
    """How long a line rests after its carrier said to slow down: `first` seconds, twice as long for each time that it
    says so again having taken nothing, and half as long for each minute in between. A carrier that took some texts and
    refused the others has a rate: to rest longer would only use less of it."""

    HALF_LIFE = 60.0

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._length = 0.0
        self._until = 0.0
        self._took = False

    def took(self) -> None:
        """Notes that the carrier took a text."""
        self._took = True

    def hit(self, now: float) -> bool:
        """Notes a refusal. True where a rest begins; a window's worth of refusals in one rest count as one."""
        if now < self._until:
            return False
        halvings = min((now - self._until) / self.HALF_LIFE, 64.0)
        grown = 0.0 if self._took else 2 * self._length / 2**halvings
        self._length = min(max(grown, self._first), self._longest)
        self._took = False
        self._until = now + self._length
        return True

    def remaining(self, now: float) -> float:
        """Seconds of rest left, 0 when the line may send."""
        return max(0.0, self._until - now)
