"""The texts that are on their way to a phone: what can still expire, be cancelled, or be asked about."""

from asyncio import TimerHandle
from dataclasses import dataclass

from smsdesk.carriers.smpp.pdu import CancelSm, SubmitSm
from smsdesk.lab.faults import Stat
from smsdesk.lab.line import Line
from smsdesk.lab.reading import Part
from smsdesk.lab.submission import Submission
from smsdesk.lab.verdict import Verdict


@dataclass(slots=True)
class Passage:
    """One submit_sm that was taken, until its receipt is written. Times are seconds since 1970."""

    line: Line
    submit: SubmitSm
    part: Part
    submission: Submission
    verdict: Verdict
    number: int
    """Its message id, as a number."""
    submitted_at: float
    ends_at: float
    """When the phone gets it, or it is known that it will not."""
    stat: Stat
    arrival: TimerHandle | None = None
    """What brings it to the phone; None once it ended."""


class Passages:
    """Those that have not ended yet, by message id."""

    def __init__(self) -> None:
        self._open: dict[int, Passage] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, passage: Passage) -> None:
        """One more is on its way."""
        self._open[passage.number] = passage

    def remove(self, passage: Passage) -> None:
        """It has ended."""
        self._open.pop(passage.number, None)

    def named(self, cancel: CancelSm, number: int | None, system_id: str) -> list[Passage]:
        """Those of the system that a cancel_sm means (SMPP 3.4 section 4.9.1): the message of this number or, without
        a message id, all from its source to its destination, of its service_type where it names one."""
        if cancel.message_id:
            found = self._open.get(number) if number is not None else None
            candidates = [found] if found else []
        else:
            candidates = [one for one in self._open.values() if _between(one.submit, cancel)]
        return [one for one in candidates if one.part.system_id == system_id]

    def clear(self) -> None:
        """None of them arrives."""
        for passage in self._open.values():
            if passage.arrival:
                passage.arrival.cancel()
        self._open.clear()


def _between(submit: SubmitSm, cancel: CancelSm) -> bool:
    return (
        submit.source_addr == cancel.source_addr
        and submit.destination_addr == cancel.destination_addr
        and cancel.service_type in ("", submit.service_type)
    )
