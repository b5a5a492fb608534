"""What becomes of one submitted text: pure decisions, with time and chance passed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from smsdesk.carriers.smpp.status import Status
from smsdesk.lab.faults import Faults, Stat

Answer = Literal["whole", "half", "garbage", "none"]
"""How much of the answer leaves: all, its first half, octets that are no answer, nothing."""
Connection = Literal["stays", "closes", "resets", "hangs"]
"""What the connection does after the answer, or instead of it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one submit_sm, or of one request to an HTTP vendor. Times are seconds."""

    status: int = 0
    """command_status: 0 taken, 0x58 throttled, 0x14 queue full, else refused."""
    arrives: bool = True
    """Whether the handset gets it."""
    answer: Answer = "whole"
    connection: Connection = "stays"
    answer_delay: float = 0.0
    arrival_delay: float = 0.0
    """How long it is on its way."""
    receipt: bool = True
    """Whether a receipt is written, where the sender asked for one."""
    receipt_delay: float = 0.0
    """From the later of answer and arrival."""
    receipt_first: bool = False
    receipt_copies: int = 1
    unknown_receipt: bool = False
    """The receipt names an id that was never given out."""
    interim: bool = False
    """An intermediate notification comes before the receipt."""
    stat: Stat = "DELIVRD"
    err: str = "000"
    """The network's error in the receipt, three hexadecimal digits."""
    dialect: Mapping[str, object] = field(default_factory=dict)
    """What this text's receipt has otherwise than `Dialect` says."""

    @property
    def taken(self) -> bool:
        """Whether the network has the text now: it was neither refused, nor did it vanish."""
        return not self.status and (self.arrives or self.receipt or self.answer != "none")

    @property
    def is_plain(self) -> bool:
        """Whether nothing but delays is special."""
        return not self.status and self.arrives and self.answer == "whole" and self.connection == "stays"


def refused(status: int) -> Verdict:
    """Refused with this command_status."""
    return Verdict(status=status, arrives=False, receipt=False)


FINE = Verdict()
THROTTLED = refused(Status.RTHROTTLED)
QUEUE_FULL = refused(Status.RMSGQFUL)
VANISHED = Verdict(arrives=False, answer="none", receipt=False)
GARBAGE = Verdict(answer="garbage")
HALF = Verdict(answer="half", connection="closes")
DROPPED = Verdict(answer="none", connection="closes")
RESET = Verdict(answer="none", connection="resets")
HUNG = Verdict(arrives=False, answer="none", receipt=False, connection="hangs")


def by_faults(faults: Faults, submitted: int, random: Random) -> Verdict:
    """The fate of a connection's text number `submitted` (from 1) under `faults`; each share draws its own chance."""
    if faults.hang:
        return HUNG
    if faults.reset_after and submitted >= faults.reset_after:
        return RESET
    if faults.drop_after and submitted >= faults.drop_after:
        return DROPPED
    for share, verdict in (
        (faults.refuse, refused(faults.refuse_status)),
        (faults.vanish, VANISHED),
        (faults.garbage, GARBAGE),
        (faults.half_answer, HALF),
        (faults.drop, DROPPED),
        (faults.reset, RESET),
    ):
        if share and random.random() < share:
            return verdict
    verdict = Verdict(
        answer="none" if random.random() < faults.lose_answer else "whole",
        answer_delay=faults.answer_delay,
        arrival_delay=faults.arrival_delay,
        receipt=random.random() >= faults.no_receipt,
        receipt_delay=faults.receipt_delay,
        receipt_first=random.random() < faults.receipt_first,
        receipt_copies=2 if random.random() < faults.repeat_receipt else 1,
        unknown_receipt=random.random() < faults.unknown_receipt,
    )
    if random.random() < faults.undeliver:
        return replace(verdict, arrives=False, stat=faults.undeliver_stat, err=faults.undeliver_err)
    return verdict
