"""Brings receipts and replies to a line that can take them, and again when no answer came."""

from collections.abc import Callable
from typing import Literal

from smsdesk.carriers.smpp.pdu import DeliverSmResp
from smsdesk.lab.line import Line
from smsdesk.lab.outbox import Outbox, Outgoing
from smsdesk.lab.stats import LineInfo


def info(line: Line) -> LineInfo:
    """A line for people."""
    return LineInfo(
        line=line.name,
        peer=line.peer,
        system_id=line.system_id,
        session=line.session,
        submits=line.submits,
        delivers=line.delivers,
        waiting=len(line.waiting),
        enquiries=line.enquiries,
        alive=line.alive,
    )


class Delivery:
    """All lines of the lab, and what waits for them. `sent` is called for each deliver_sm that left, first or again."""

    def __init__(self, limit: int, timeout: float, sent: Callable[[Line, Outgoing], None]) -> None:
        self.lines: dict[str, Line] = {}
        self.outbox = Outbox(limit)
        self._timeout = timeout
        self._sent = sent

    def add(self, line: Line) -> None:
        """A connection was opened."""
        self.lines[line.name] = line

    def remove(self, line: Line) -> None:
        """A connection is gone: what it did not answer goes to the others, or waits for the next one."""
        self.lines.pop(line.name, None)
        unanswered = [outgoing for outgoing, _ in line.waiting.values()]
        line.waiting.clear()
        for outgoing in reversed(unanswered):
            self.outbox.put_back(outgoing)
        if unanswered:
            self._pump_all()

    def drop(self, name: str | None, system_id: str | None, *, unbind: bool) -> int:
        """Resets the connections of that name or system, all for None, or unbinds them; returns how many."""
        dropped = [
            line for line in self.lines.values() if name in (None, line.name) and system_id in (None, line.system_id)
        ]
        for line in dropped:
            if unbind:
                line.unbind()
            else:
                line.become("resets")
        return len(dropped)

    def receivers(self, system_id: str | None) -> list[Line]:
        """The lines that receive for a system; all that receive for None."""
        return [line for line in self.lines.values() if line.receives and system_id in (None, line.system_id)]

    def of(self, system_id: str) -> list[Line]:
        """All lines of a system, whatever they were bound for."""
        return [line for line in self.lines.values() if line.system_id == system_id]

    def beside(self, line: Line, which: Literal["same", "other"]) -> Line:
        """The line itself, or another one that receives for its system, if there is one."""
        if which == "same":
            return line
        return next((other for other in self.receivers(line.system_id) if other is not line), line)

    def clear(self) -> None:
        """Forgets all that waits to be sent or answered."""
        self.outbox.clear()
        for line in self.lines.values():
            line.waiting.clear()

    def hand_over(self, outgoing: Outgoing, prefer: Line | None = None) -> None:
        """Sends a deliver_sm, over `prefer` if that has room and nothing waits before it; else it waits its turn."""
        if prefer is not None and prefer.has_room and not self.outbox.holds(outgoing.system_id):
            self._send(prefer, outgoing)
            return
        self.outbox.put(outgoing)
        for line in self.receivers(outgoing.system_id):
            self.pump(line)

    def pump(self, line: Line) -> None:
        """Sends over `line` what waits for its system, as far as its window goes."""
        while line.has_room and (outgoing := self.outbox.take(line.system_id)) is not None:
            self._send(line, outgoing)

    def _pump_all(self) -> None:
        for line in list(self.lines.values()):
            self.pump(line)

    def _send(self, line: Line, outgoing: Outgoing) -> None:
        line.deliver(outgoing)
        self._sent(line, outgoing)

    def answered(self, line: Line, answer: DeliverSmResp) -> Outgoing | None:
        """Takes the answered deliver_sm out of the line's window; None when the answer fits none."""
        outgoing, _ = line.waiting.pop(answer.sequence_number, (None, 0.0))
        self.pump(line)
        return outgoing

    def again(self, outgoing: Outgoing, line: Line) -> None:
        """Sends once more, over another line than `line` if one has room."""
        others = [other for other in self.receivers(outgoing.system_id) if other is not line and other.has_room]
        if others or line.has_room:
            self._send(others[0] if others else line, outgoing)
        else:
            self.outbox.put_back(outgoing)

    def look(self, now: float) -> None:
        """Keeps all timers; `now` is the loop's time."""
        for line in list(self.lines.values()):
            line.look(now)
            late = []
            for sequence_number, (_, sent_at) in line.waiting.items():
                if now - sent_at < self._timeout:
                    break
                late.append(sequence_number)
            for outgoing in [line.waiting.pop(sequence_number)[0] for sequence_number in late]:
                self.again(outgoing, line)
