"""Whether there is room for one more send: by Little's law, before anything is read (docs/adr/0035-overload.md)."""

from collections.abc import Callable

TARGET = 0.07
"""Seconds within which whoever comes in is to be answered, from when his request was there to be read: a third of what
is promised, since a server that becomes slower takes longer than it looked, twice as long at the p99."""
STALLED = 0.15
"""Seconds without any answer after which nobody else comes in beyond those who always may."""
LOOK = 0.01
"""Seconds between two looks at how long the loop's turns are, while as many wait as always may."""
ALWAYS = 256
"""As many may wait however slow the answers are: they share a commit or two, so that fewer would not be answered
sooner, and it is seen when the answers are quick again."""
LONG_LINE, FEW = 2_000, 16
"""Where so many stand in line to be refused, refusing does not keep up: each send that comes in costs the time of three
refusals, so that only so few may wait until the line is shorter."""
AT_FIRST = 512
"""As many may wait before it is known how quick the answers are."""
WINDOW = 0.2
"""Seconds of work after which the pace is reckoned anew: a few commits, so that none of them decides alone."""
SHORTEST, LONGEST = 1.0, 30.0
"""Seconds for which somebody is sent away."""


class Overload:
    """Lets in as many as will be answered within the target, and says to the others when to come again.

    Who comes now is answered when all who wait are: in `waiting / rate` seconds. The rate is what was answered in a
    window over the time in which somebody waited. A window in which somebody was turned away was busy to the limit:
    its rate is believed. Any other shows only what is possible at least. Where nothing at all was answered for a while,
    nobody who comes would be in time.

    A request lies unread for as long as a turn of the loop takes, which grows with all that is read, refusals too. So
    much of the target has passed already. Where reading takes all of the time, fewer come in, and refusing is quick
    again: it is not the database alone that can be at its limit. Those who stand in line to be refused say the same.

    One call of `is_full` costs 0.2 microseconds. Neither a clock nor chance of its own; both are passed in.
    """

    __slots__ = (
        "_answered_at", "_busy", "_call_later", "_done", "_line", "_looked_at", "_looking", "_most",
        "_now", "_random", "_rate", "_since", "_target", "_turned_at", "_turned_away",
        "_unread", "_waiting",
    )  # fmt: skip

    def __init__(
        self,
        now: Callable[[], float],
        random: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], object],
        target: float = TARGET,
    ) -> None:
        """`now` gives seconds that never go back, `random` a number from 0 to 1; `call_later` calls something after
        some seconds, and after what the loop has to read before."""
        self._now = now
        self._random = random
        self._call_later = call_later
        self._target = target
        self._looking = False
        self._looked_at = 0.0
        self._unread = 0.0
        self._rate = AT_FIRST / target
        self._most = AT_FIRST
        self._waiting = 0
        # The window: its seconds of work before `_since`, since when somebody waits, and what happened in it.
        self._busy = 0.0
        self._since = 0.0
        self._done = 0
        self._turned_away = False
        self._answered_at = 0.0
        # Those turned away, as if they stood in line.
        self._line = 0.0
        self._turned_at = 0.0

    @property
    def waiting(self) -> int:
        """How many came in and have no answer yet."""
        return self._waiting

    @property
    def most(self) -> int:
        """How many may wait at once, as it looks now."""
        return self._most

    def is_full(self, in_line: int = 0) -> bool:
        """Whether there is no room for one more, while so many stand in line to be refused."""
        if in_line >= LONG_LINE:
            return self._waiting >= FEW
        if self._waiting < ALWAYS:
            return False
        return self._waiting >= self._most or self._now() - self._answered_at >= STALLED

    def turn_away(self) -> float:
        """Somebody is turned away: the seconds after which to come again.

        The line of those turned away shortens by what could have been answered since; it grows by one.
        """
        self._turned_away = True
        now = self._now()
        self._line = max(0.0, self._line - (now - self._turned_at) * self._rate) + 1
        self._turned_at = now
        # All would come back at once: each is given a place in the line by chance, so that they come as answers do.
        return min(LONGEST, SHORTEST + self._random() * self._line / self._rate)

    def began(self) -> None:
        """Somebody came in."""
        if not self._waiting:
            self._since = self._answered_at = self._now()
        self._waiting += 1
        if self._waiting >= ALWAYS and not self._looking:
            self._looking = True
            self._look_later(self._now())

    def ended(self) -> None:
        """Somebody who came in has an answer, whatever it is."""
        now = self._answered_at = self._now()
        self._waiting -= 1
        self._done += 1
        if not self._waiting:
            self._busy += now - self._since
            self._since = now
        if self._busy + now - self._since >= WINDOW:
            self._reckon(now)

    def _reckon(self, now: float) -> None:
        """Ends the window: what it said of the rate counts half, so that one slow commit is not the whole truth."""
        seen = self._done / (self._busy + now - self._since)
        if self._turned_away or seen > self._rate:
            self._rate += (seen - self._rate) / 2
            self._fit()
        self._busy, self._since, self._done, self._turned_away = 0.0, now, 0, False

    def _fit(self) -> None:
        self._most = max(ALWAYS, int(self._rate * (self._target - self._unread)))

    def _look_later(self, now: float) -> None:
        self._looked_at = now
        self._call_later(LOOK, self._look)

    def _look(self) -> None:
        """A turn of the loop later: what is over `LOOK` is how long a request lay unread in it."""
        now = self._now()
        self._unread = now - self._looked_at - LOOK
        self._looking = self._waiting >= ALWAYS
        if self._looking:
            self._look_later(now)
        else:
            self._unread = 0.0
        self._fit()
