"""What the lab counts."""

from dataclasses import asdict, dataclass

import msgspec


@dataclass(slots=True)
class Counters:
    """Since the start or the last reset. `submitted` is `accepted`, `refused` and those that vanished."""

    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    lost_answers: int = 0
    """submit_sm_resp that never left, on purpose."""
    texts: int = 0
    receipts: int = 0
    replies: int = 0
    repeats: int = 0
    """deliver_sm sent again: no answer came, its line went down, or it was refused for now."""
    dropped_lines: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counters by name."""
        return asdict(self)


class Stats(msgspec.Struct):
    """The counters and what is there at the moment."""

    submitted: int
    accepted: int
    refused: int
    lost_answers: int
    texts: int
    receipts: int
    replies: int
    repeats: int
    dropped_lines: int
    per_second: int
    """submit_sm accepted in the last full second."""
    kept: int
    incomplete: int
    on_the_way: int
    """Taken, and not yet on the phone nor given up."""
    waiting: int
    """deliver_sm without an answer, sent or not."""
    evicted: int
    bound: int


class LineInfo(msgspec.Struct):
    """One connection; `session` is transmitter, receiver, transceiver, or empty before the bind."""

    line: str
    peer: str
    system_id: str
    session: str
    submits: int
    delivers: int
    waiting: int
    enquiries: int
    """enquire_link that the ESME sent."""
    alive: int
    """enquire_link_resp: how often the ESME said that it is there."""


class Rate:
    """Counts by the second of the clock that is passed in."""

    __slots__ = ("_before", "_count", "_second")

    def __init__(self) -> None:
        self._second = self._count = self._before = 0

    def count(self, now: float) -> None:
        """One more at `now`, in seconds."""
        second = int(now)
        if second != self._second:
            self._before = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0
        self._count += 1

    def last_second(self, now: float) -> int:
        """How many there were in the last full second before `now`."""
        behind = int(now) - self._second
        return self._before if behind == 0 else self._count if behind == 1 else 0
