"""The send window of a session (SMPP 3.4 section 2.9: several requests may be unanswered). Pure: told the time, it says
which octets to write and which outcomes are known."""

from collections import deque
from collections.abc import Iterable

from smsdesk.carriers.contract import OutboundText, Outcome, Refused
from smsdesk.carriers.smpp.codec import renumber
from smsdesk.carriers.smpp.pdu import MAX_SEQUENCE_NUMBER
from smsdesk.carriers.smpp.submission import Part, Submission

Settled = tuple[OutboundText, Outcome]


class Window:
    """Texts in the order of their coming, at most `size` of their parts unanswered at a time."""

    def __init__(self, size: int, response_timeout: float, first_sequence_number: int = 1) -> None:
        self._size = size
        self._response_timeout = response_timeout
        self._sequence_number = first_sequence_number - 1
        self._waiting: deque[Submission] = deque()
        self._again: deque[Submission] = deque()  # parts refused for now: they go before what never went
        self._open: dict[int, tuple[Submission, Part, float]] = {}  # in the order of their deadlines

    def next_sequence_number(self) -> int:
        """Counts 1..0x7FFFFFFF and starts over (section 3.2), leaving out what is still unanswered."""
        while True:
            self._sequence_number = self._sequence_number % MAX_SEQUENCE_NUMBER + 1
            if self._sequence_number not in self._open:
                return self._sequence_number

    def room(self) -> int:
        """Free slots that nothing inside waits for."""
        waiting = sum(len(submission.unwritten) for queue in (self._again, self._waiting) for submission in queue)
        return max(0, self._size - len(self._open) - waiting)

    def idle(self) -> bool:
        """Whether nothing is inside."""
        return not (self._open or self._again or self._waiting)

    def put(self, submission: Submission) -> None:
        """Queues a text."""
        self._waiting.append(submission)

    def write(self, now: float) -> list[bytes]:
        """Fills the free slots: gives the PDUs to hand to the transport now, in order."""
        octets: list[bytes] = []
        deadline = now + self._response_timeout
        for queue in (self._again, self._waiting):
            while queue and len(self._open) < self._size:
                submission = queue[0]
                part = submission.write()
                if not submission.unwritten:
                    queue.popleft()
                sequence_number = self.next_sequence_number()
                self._open[sequence_number] = submission, part, deadline
                octets.append(renumber(part[1], sequence_number))
        return octets

    def take(self, sequence_number: int, message_id: str) -> list[Settled] | None:
        """Notes an answer ESME_ROK. None where nothing of that number is open."""
        entry = self._open.pop(sequence_number, None)
        if entry is None:
            return None
        submission, part, _ = entry
        submission.take(part, message_id)
        return self._settle(submission)

    def refuse(self, sequence_number: int, refusal: Refused) -> list[Settled] | None:
        """Notes any other answer. None where nothing of that number is open."""
        entry = self._open.pop(sequence_number, None)
        if entry is None:
            return None
        submission, part, _ = entry
        submission.refuse(part, refusal)
        return self._settle(submission)

    def doubt(self, sequence_number: int, detail: str) -> list[Settled] | None:
        """Notes that an answer cannot be read or will not come. None where nothing of that number is open."""
        entry = self._open.pop(sequence_number, None)
        if entry is None:
            return None
        entry[0].doubt(detail)
        return self._settle(entry[0])

    def expire(self, now: float) -> list[Settled]:
        """Doubts the parts whose answer is overdue."""
        settled: list[Settled] = []
        overdue = [number for number, (_, _, deadline) in self._open.items() if deadline <= now]
        for number in overdue:
            settled += self.doubt(number, f"no answer in {self._response_timeout:g} s") or []
        return settled

    def release(self, detail: str) -> list[Settled]:
        """Gives back the texts of which nothing left yet."""
        untouched = [submission for submission in self._waiting if not submission.started]
        self._waiting = deque(submission for submission in self._waiting if submission.started)
        return _lose(untouched, detail)

    def lose(self, detail: str) -> list[Settled]:
        """Empties the window of a line that is gone."""
        inside = dict.fromkeys(submission for submission, _, _ in self._open.values())
        inside |= dict.fromkeys((*self._again, *self._waiting))
        self._open.clear()
        self._again.clear()
        self._waiting.clear()
        return _lose(inside, detail)

    def _settle(self, submission: Submission) -> list[Settled]:
        """Keeps the rule: a queue holds texts with parts to write, and one that has parts written only as its head."""
        outcome = submission.settle()
        queue = next((queue for queue in (self._again, self._waiting) if queue and queue[0] is submission), None)
        if queue is None:
            if submission.unwritten and not submission.open:
                self._again.append(submission)
        elif not submission.unwritten:
            queue.popleft()
        return [] if outcome is None else [(submission.text, outcome)]


def _lose(submissions: Iterable[Submission], detail: str) -> list[Settled]:
    return [(submission.text, submission.lose(detail)) for submission in submissions]
