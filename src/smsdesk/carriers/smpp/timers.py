"""Decisions about time, pure: each is told the time and says what is due. All times are seconds of one clock."""

import math
import sys
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

    def hit(self, now: float, first: float | None = None) -> bool:
        """Notes a refusal. True where a rest begins; a window's worth of refusals in one rest count as one. `first`
        stands for the usual one, where the carrier is known well enough."""
        if now < self._until:
            return False
        halvings = min((now - self._until) / self.HALF_LIFE, 64.0)
        grown = 0.0 if self._took else 2 * self._length / 2**halvings
        self._length = min(max(grown, self._first if first is None else first), self._longest)
        self._took = False
        self._until = now + self._length
        return True

    def remaining(self, now: float) -> float:
        """Seconds of rest left, 0 when the line may send."""
        return max(0.0, self._until - now)


class Flow:
    """How fast a line sends; without limit until its carrier says to slow down.

    Then it rests, as `Throttle` says. After that it sends a little less each second than the carrier took when it
    refused, and more as time goes by without another refusal: slowly near the rate that was too much, ever faster
    beyond (the curve of CUBIC, RFC 9438). So it settles under a limit that lasts, and forgets one that does not.
    """

    CALM = 300.0
    """Seconds without a refusal after which there is no limit any more."""
    _KEEP = 0.95
    _DOUBLES, _DOUBLES_UNKNOWN = 30.0, 2.0
    """Seconds without a refusal in which the rate doubles: one that the carrier took, and one that was only guessed
    because it took nothing."""
    _SLACK = 0.1
    """Seconds that a part may leave early, to make good for one that was late."""

    def __init__(self, first: float, longest: float) -> None:
        """Seconds of a rest, as for `Throttle`."""
        self._throttle = Throttle(first, longest)
        self._first = first
        self._slowest = 1 / longest
        self._rate = math.inf
        self._doubles = self._DOUBLES
        self._rested = 0.0
        self._slowed = -math.inf
        self._due = 0.0
        self._taken = False
        self._second = 0.0
        self._count = self._before = 0

    def took(self, now: float) -> None:
        """Notes that the carrier took a part."""
        self._taken = True
        if now - self._second >= 1.0:
            self._before = self._count if now - self._second < 2.0 else 0
            self._second, self._count = now, 0
        self._count += 1

    def sent(self, now: float) -> None:
        """Notes that a part leaves."""
        if self._rate != math.inf:
            self._due = max(self._due, now) + 1 / self.rate(now)

    def hit(self, now: float) -> bool:
        """Notes a refusal. True where a rest begins."""
        if self._throttle.remaining(now):
            return False
        # Where the rate is known, a rest of two parts lets the carrier draw breath.
        first = self._first if self.rate(now) == math.inf else min(self._first, 2 / self._rate)
        if now - self._slowed >= 1.0:  # before that, the second that was measured is the same
            self._rate, self._slowed = self._slower(now), now
        if self._taken:
            self._throttle.took()
        self._taken = False
        self._throttle.hit(now, first)
        self._rested = now + self._throttle.remaining(now)
        self._due = self._rested + self._SLACK
        return True

    def rate(self, now: float) -> float:
        """Parts a second that may leave; infinite without a limit."""
        calm = max(now - self._rested, 0.0)
        if calm >= self.CALM:
            self._rate = math.inf
        return self._rate * (1 + (calm / self._doubles) ** 3)

    def rest(self, now: float) -> float:
        """Seconds of a rest that are left."""
        return self._throttle.remaining(now)

    def remaining(self, now: float) -> float:
        """Seconds until a part may leave, 0.0 for now."""
        if self._rate == math.inf:
            return 0.0
        return max(self._rested - now, self._due - self._SLACK - now, 0.0)

    def free(self, now: float) -> int:
        """Parts that may leave at once."""
        if self._rate == math.inf:
            return sys.maxsize
        return 0 if self.remaining(now) else 1 + int((now + self._SLACK - max(self._due, now)) * self.rate(now))

    def _slower(self, now: float) -> float:
        rate, taken = self.rate(now), self._KEEP * self._per_second(now)
        self._doubles = self._DOUBLES if self._taken else self._DOUBLES_UNKNOWN
        if rate == math.inf:
            return max(taken, 1.0, self._slowest)
        if self._taken and rate < 2:
            return self._KEEP * rate  # a second tells nothing of what takes longer
        return max(rate / 2, min(self._KEEP * rate, taken), self._slowest)

    def _per_second(self, now: float) -> float:
        """Parts taken in the last second, those of the one before by its share."""
        age = now - self._second
        if age < 1.0:
            return self._count + self._before * (1.0 - age)
        return self._count * max(2.0 - age, 0.0)
