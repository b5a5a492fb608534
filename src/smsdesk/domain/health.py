"""Whether a carrier can be trusted with texts, judged by what its line sees. Pure: told the time, in
seconds of one clock.

well ---- down, silent or failing ----> sick ---- rested, and up ----> trial ---- three good answers ----> well
                                          ^------------- one bad one, or none in time ------'
"""

import math
from collections import deque
from typing import Literal

DOWN_AFTER = 3.0
"""Seconds without a connection: shorter ones are what reconnecting costs."""
OVERDUE = 5.0
"""Seconds that an answer may take. Carriers answer within one; half of what a response is waited for (SMPP)."""
TIMED_OUT = 1.0
"""Seconds after which a text without an answer was waited for; before, its line broke off."""
SAME_MOMENT = 0.05
"""Seconds: texts that fail together fail for one reason, such as the end of their line."""
REMEMBERED, WITHIN, FEWEST = 20, 30.0, 3
"""Of so many last answers, in so many seconds, half must be good; fewer bad ones than that prove nothing."""
FIRST_REST, LONGEST_REST = 5.0, 60.0
"""Seconds before a sick carrier is tried again, doubled each time."""
TRIALS = 3
"""Good answers in a row, to one text at a time, that make it well."""

State = Literal["well", "sick", "trial"]
End = Literal["good", "bad", "lost", "none"]
"""The carrier did its part; it did not; no answer came; or it had no part in it."""
Key = tuple[int, int]
"""A text and its attempt."""


class Health:
    """One line's carrier: told what is handed to it and what comes back."""

    def __init__(self, now: float) -> None:
        self.state: State = "well"
        self.why = ""
        """Why it is sick."""
        self._since = now
        self._up_at = now
        self._good_at = -1.0
        self._silence = 0.0
        self._open: dict[Key, float] = {}
        self._answers: deque[tuple[float, bool]] = deque(maxlen=REMEMBERED)
        self._good = 0
        self._rest = FIRST_REST

    def room(self, room: int) -> int:
        """How many texts of `room` it may be given now."""
        if self.state == "well":
            return room
        if self.state == "sick" or any(at >= self._since for at in self._open.values()):
            return 0
        return min(room, 1)

    def handed(self, key: Key, now: float) -> None:
        """A text was given to the line."""
        self._open[key] = now

    def passed(self, key: Key, now: float) -> None:
        """The limits let a segment of it go: what is overdue counts from here."""
        if key in self._open:
            self._open[key] = now

    def waits(self, key: Key) -> None:
        """All of it that left was answered, and the limits keep the rest: nothing is overdue before they let it go."""
        if key in self._open:
            self._open[key] = math.inf

    def ended(self, key: Key, end: End, now: float) -> None:
        """What became of it is known."""
        handed = self._open.pop(key, None)
        if end == "none" or handed is None or handed < self._since:
            return
        took = now - handed
        if end == "lost" and took >= TIMED_OUT and self._good_at < handed:
            self._silence = took
        good = end == "good" and took < OVERDUE
        if good:
            self._good_at = now
        if end != "lost" or not self._answers or self._answers[-1][1] or now - self._answers[-1][0] > SAME_MOMENT:
            self._answers.append((now, good))
        if self.state != "trial":
            return
        self._good = self._good + 1 if good else 0
        if not good:
            self._fall_ill("it failed again when it was tried", now)
        elif self._good >= TRIALS:
            self._become("well", now)
            self._rest = FIRST_REST

    def look(self, up: bool, line: str, now: float) -> bool:
        """Judges; to be called every second or so. `line` is the line's own word on its state. Whether that changed."""
        before = self.state
        if up:
            self._up_at = now
        if self.state == "sick":
            if up and now - self._since >= self._rest:
                self._become("trial", now)
                self._rest = min(2 * self._rest, LONGEST_REST)
        elif trouble := self._trouble(line, now):
            self._fall_ill(trouble, now)
        return self.state != before

    def _trouble(self, line: str, now: float) -> str:
        if now - self._up_at >= DOWN_AFTER:
            return line
        oldest = min((at for at in self._open.values() if at >= self._since), default=now)
        silence = max(self._silence, now - oldest if now - oldest >= OVERDUE and self._good_at < oldest else 0.0)
        if silence:
            return f"no answer for {silence:.0f} s"
        recent = [good for at, good in self._answers if now - at <= WITHIN]
        bad = recent.count(False)
        if bad >= FEWEST and 2 * bad >= len(recent):
            return f"{bad} of the last {len(recent)} texts failed"
        return ""

    def _fall_ill(self, why: str, now: float) -> None:
        self._become("sick", now)
        self.why = why

    def _become(self, state: State, now: float) -> None:
        self.state = state
        self.why = ""
        self._since = now
        self._good = 0
        self._silence = 0.0
        self._answers.clear()
