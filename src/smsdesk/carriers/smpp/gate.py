"""What must agree before a part leaves: the carrier, this line's own limit, and the limits of the text's tenant."""

from smsdesk.carriers.contract import OutboundText, Pace
from smsdesk.carriers.smpp.timers import Flow
from smsdesk.domain.pace import SlidingWindow


class Gate:
    """The three in one. `flow` is the carrier's, shared by all of its lines; None stands for no limit."""

    def __init__(self, flow: Flow, limit: SlidingWindow | None = None, pace: Pace | None = None) -> None:
        self._flow = flow
        self._limit = limit
        self._pace = pace
        self._counts = limit is not None or pace is not None

    def free(self, now: float) -> int:
        """Segments that the line itself would let leave now."""
        free = self._flow.free(now)
        return free if self._limit is None else min(free, self._limit.coming(now, 0.0))

    def wait(self, segments: int, now: float) -> float:
        """Seconds until the line itself lets so many leave, 0.0 for now."""
        wait = self._flow.remaining(now)
        return wait if self._limit is None else max(wait, self._limit.wait(segments, now))

    def take(self, text: OutboundText, segments: int, now: float) -> float:
        """0.0: so many segments of the text leave now, and are counted. Else its tenant asks to wait so many seconds,
        which is no matter of other texts. To be called when `wait` is over."""
        if self._pace is not None and (wait := self._pace.take(text, segments)):
            return wait
        if self._limit is not None:
            self._limit.take(segments)
        self._flow.sent(now)
        return 0.0

    def answered(self, text: OutboundText, segments: int, now: float) -> None:
        """The carrier answered for segments that left, or never will. Once for each `take` that gave 0.0."""
        if not self._counts:
            return
        if self._limit is not None:
            self._limit.answered(segments, now)
        if self._pace is not None:
            self._pace.answered(text, segments)
