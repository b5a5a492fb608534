"""What one system may submit: so many a second, and nothing while its queue is full."""

from random import Random

from smsdesk.lab.faults import Faults


class Throttle:
    """Counts one system's texts within each second of the clock that is passed in."""

    __slots__ = ("_count", "_full_for", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._count = 0
        self._full_for = 0

    def passes(self, now: float, limit: int) -> bool:
        """Whether one more fits under `limit` in the second of `now` (seconds); a limit of 0 lets all pass."""
        if not limit:
            return True
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return self._count <= limit

    def is_full(self, faults: Faults, random: Random) -> bool:
        """Whether this text meets a full queue: within a burst of `Faults.queue_full_burst`, or at the first of one."""
        if not self._full_for and faults.queue_full and random.random() < faults.queue_full:
            self._full_for = faults.queue_full_burst
        if not self._full_for:
            return False
        self._full_for -= 1
        return True
