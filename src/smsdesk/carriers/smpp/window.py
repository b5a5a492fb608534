"""The send window of a session (SMPP 3.4 section 2.9: several requests may be unanswered). Pure: told the time, it says
which octets to write and which outcomes are known."""

import bisect
import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from smsdesk.carriers.contract import OutboundText, Outcome, Refused
from smsdesk.carriers.smpp.gate import Gate
from smsdesk.carriers.smpp.pdu import MAX_SEQUENCE_NUMBER
from smsdesk.carriers.smpp.submission import Submission

Settled = tuple[OutboundText, Outcome]

EXPIRED = Refused("expired_here", "not sent: valid_until has passed")
_SHORTEST = 0.001
"""Seconds that a text at least waits where its pace asks it to: less than a timer can tell."""
_by_order = attrgetter("order")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a window keeps to; times are in seconds."""

    size: int
    response_timeout: float
    pause_first: float
    pause_longest: float
    """How long a text steps aside that the carrier will not have now, at first and at most."""


class Window:
    """Texts in the order of their coming, at most `size` of their parts unanswered at a time. One that must wait for
    its own sake lets the others pass."""

    def __init__(self, terms: Terms, gate: Gate, first_sequence_number: int = 1) -> None:
        self.wait = 0.0
        """Seconds after the last `write` in which something inside may leave; 0.0 where only an answer helps."""
        self.too_late = False
        """Whether what is inside must not leave any more."""
        self._terms = terms
        self._gate = gate
        self._sequence_number = first_sequence_number - 1
        self._order = 0
        self._waiting: deque[Submission] = deque()
        self._again: deque[Submission] = deque()  # has waited before: by order, in front of what never went
        self._aside: list[tuple[float, int, Submission]] = []  # a heap by the time that each comes back
        self._open: dict[int, tuple[Submission, int, float]] = {}  # in the order of their deadlines
        self._reserved: tuple[int, int] | None = None  # parts that wait for leave and for slots; None: count them anew

    def next_sequence_number(self) -> int:
        """Counts 1..0x7FFFFFFF and starts over (section 3.2), leaving out what is still unanswered."""
        while True:
            self._sequence_number = self._sequence_number % MAX_SEQUENCE_NUMBER + 1
            if self._sequence_number not in self._open:
                return self._sequence_number

    def room(self, now: float) -> int:
        """Texts that would leave now: free slots that the line lets be used and that nothing inside waits for."""
        if self._reserved is None:
            ahead = sum(len(submission.unwritten) for queue in (self._again, self._waiting) for submission in queue)
            # Those aside need no leave now, but a slot when they come back.
            self._reserved = ahead, ahead + sum(len(submission.unwritten) for _, _, submission in self._aside)
        leaves, slots = self._reserved
        return max(0, min(self._terms.size - len(self._open) - slots, self._gate.free(now) - leaves))

    def idle(self) -> bool:
        """Whether nothing is inside."""
        return not (self._open or self._again or self._waiting or self._aside)

    def put(self, submission: Submission) -> None:
        """Queues a text."""
        self._reserved = None
        self._order += 1
        submission.order = self._order
        submission.queued = True
        self._waiting.append(submission)

    def write(self, now: float, utc: datetime) -> tuple[list[bytes], list[Settled]]:
        """Fills the free slots: gives the PDUs to hand to the transport now, in order, and the outcomes of texts that
        are past their time, of which no more is written. Both arguments are this moment."""
        self._reserved = None
        self.wait = 0.0
        self._come_back(now)
        octets: list[bytes] = []
        settled: list[Settled] = []
        for queue in (self._again, self._waiting):
            while queue and len(self._open) < self._terms.size:
                submission = queue[0]
                if submission.text.valid_until <= utc:
                    submission.give_up(EXPIRED)
                    settled += self._settle(submission, now)
                    continue
                if wait := self._gate.wait(submission.segments, now):
                    self.wait = wait
                    return octets, settled
                if wait := self._gate.take(submission.text, submission.segments, now):
                    if wait == math.inf:
                        self.too_late = True
                        return octets, settled
                    queue.popleft()
                    self._step_aside(submission, now + max(wait, _SHORTEST))
                    continue
                octets.append(self._write(queue, now, utc))
        if self._aside and len(self._open) < self._terms.size:
            self.wait = max(self._aside[0][0] - now, _SHORTEST)
        return octets, settled

    def _write(self, queue: deque[Submission], now: float, utc: datetime) -> bytes:
        submission = queue[0]
        sequence_number = self.next_sequence_number()
        part, octets = submission.write(sequence_number, utc)
        if not submission.unwritten:
            queue.popleft()
            submission.queued = False
        self._open[sequence_number] = submission, part, now + self._terms.response_timeout
        return octets

    def take(self, sequence_number: int, message_id: str, now: float) -> list[Settled] | None:
        """Notes an answer ESME_ROK. None where nothing of that number is open."""
        entry = self._close(sequence_number, now)
        if entry is None:
            return None
        submission, part = entry
        submission.take(part, message_id)
        return self._settle(submission, now)

    def refuse(self, sequence_number: int, refusal: Refused, now: float) -> list[Settled] | None:
        """Notes any other answer. None where nothing of that number is open."""
        entry = self._close(sequence_number, now)
        if entry is None:
            return None
        submission, part = entry
        submission.refuse(part, refusal)
        return self._settle(submission, now)

    def doubt(self, sequence_number: int, detail: str, now: float) -> list[Settled] | None:
        """Notes that an answer cannot be read or will not come. None where nothing of that number is open."""
        entry = self._close(sequence_number, now)
        if entry is None:
            return None
        entry[0].doubt(detail)
        return self._settle(entry[0], now)

    def expire(self, now: float) -> list[Settled]:
        """Doubts the parts whose answer is overdue."""
        settled: list[Settled] = []
        overdue = [number for number, (_, _, deadline) in self._open.items() if deadline <= now]
        for number in overdue:
            settled += self.doubt(number, f"no answer in {self._terms.response_timeout:g} s", now) or []
        return settled

    def release(self, detail: str, *, refused: bool = False) -> list[Settled]:
        """Gives back the texts of which nothing left yet; with `refused` those too that wait for another try and of
        which the carrier has taken nothing."""
        self._reserved = None
        going = [one for one in self._queued() if (one.untouched() if refused else not one.started)]
        for submission in going:
            self._remove(submission)
        return _lose(going, detail)

    def lose(self, detail: str, now: float) -> list[Settled]:
        """Empties the window of a line that is gone."""
        self._reserved = None
        for submission, _, _ in self._open.values():
            self._gate.answered(submission.text, submission.segments, now)
        inside = dict.fromkeys(submission for submission, _, _ in self._open.values())
        inside |= dict.fromkeys(self._queued())
        for queue in (self._open, self._again, self._waiting, self._aside):
            queue.clear()
        return _lose(inside, detail)

    def _close(self, sequence_number: int, now: float) -> tuple[Submission, int] | None:
        entry = self._open.pop(sequence_number, None)
        if entry is None:
            return None
        submission, part, _ = entry
        self._gate.answered(submission.text, submission.segments, now)
        return submission, part

    def _settle(self, submission: Submission, now: float) -> list[Settled]:
        """Keeps the rule: a text is queued exactly while it has parts to write."""
        self._reserved = None
        outcome = submission.settle()
        if not submission.unwritten:
            if submission.queued:
                self._remove(submission)
        elif submission.setbacks:
            self._remove(submission)
            terms = self._terms
            self._step_aside(submission, now + min(terms.pause_first * 2**submission.setbacks, terms.pause_longest))
        elif not submission.queued:
            submission.queued = True
            bisect.insort(self._again, submission, key=_by_order)
        return [] if outcome is None else [(submission.text, outcome)]

    def _queued(self) -> Iterator[Submission]:
        yield from self._again
        yield from self._waiting
        for _, _, submission in self._aside:
            yield submission

    def _step_aside(self, submission: Submission, until: float) -> None:
        submission.queued = True
        heapq.heappush(self._aside, (until, submission.order, submission))

    def _come_back(self, now: float) -> None:
        while self._aside and self._aside[0][0] <= now:
            bisect.insort(self._again, heapq.heappop(self._aside)[2], key=_by_order)

    def _remove(self, submission: Submission) -> None:
        submission.queued = False
        for queue in (self._again, self._waiting):
            if submission in queue:
                queue.remove(submission)
        if any(one is submission for _, _, one in self._aside):
            self._aside = [entry for entry in self._aside if entry[2] is not submission]
            heapq.heapify(self._aside)


def _lose(submissions: Iterable[Submission], detail: str) -> list[Settled]:
    return [(submission.text, submission.lose(detail)) for submission in submissions]
