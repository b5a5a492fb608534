"""What goes wrong on purpose: pure decisions, with time and chance passed in."""

import re
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Status = Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]
Stat = Literal["DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults of all lines until changed. Shares are 0 to 1 of the PDUs, times are seconds, 0 is off."""

    lose_answer: Share = 0.0
    """The handset gets the text and submit_sm_resp never leaves."""
    vanish: Share = 0.0
    """Neither handset nor ESME hears of the submit_sm again."""
    refuse: Share = 0.0
    refuse_status: Status = 0x08
    """Default ESME_RSYSERR."""
    throttle_above: Count = 0
    """submit_sm a second of one system; those above get ESME_RTHROTTLED."""
    answer_delay: Seconds = 0.0
    drop: Share = 0.0
    """The handset gets the text and the line is closed instead of an answer; answers before it still leave."""
    drop_after: Count = 0
    """The line is closed instead of the answer to its submit_sm number so many."""
    no_receipt: Share = 0.0
    receipt_delay: Seconds = 0.0
    receipt_first: Share = 0.0
    """The receipt leaves before submit_sm_resp does."""
    undeliver: Share = 0.0
    """The handset gets nothing and the receipt says so, in these words:"""
    undeliver_stat: Stat = "UNDELIV"
    undeliver_err: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{3}$")] = "001"
    lose_deliver_answer: Share = 0.0
    """The lab takes a deliver_sm_resp for lost, so the receipt or reply comes again."""
    drop_after_deliver: Count = 0
    """The line is closed after so many deliver_sm on it."""


NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one submit_sm."""

    status: int = 0
    arrives: bool = True
    answers: bool = True
    answer_delay: float = 0.0
    drops: bool = False
    receipt: bool = True
    receipt_delay: float = 0.0
    receipt_first: bool = False
    stat: Stat = "DELIVRD"
    err: str = "000"


FINE = Verdict()
THROTTLED = Verdict(status=0x58, arrives=False, receipt=False)
LOST_ANSWER = Verdict(answers=False)
VANISHED = Verdict(arrives=False, answers=False, receipt=False)
DROPPED = Verdict(answers=False, drops=True)

_WORD = re.compile(
    r"#(?:(lose|vanish|throttle|drop|noreceipt|early|expired|rejected)|(refuse)(?::(0x[0-9a-fA-F]{1,8}|\d{1,9}))?"
    r"|(slow|late)(?::(\d{1,4}(?:\.\d{1,3})?))?|(undeliv)(?::([0-9a-fA-F]{3}))?)(?![\w:])"
)
_PLAIN_WORDS = {
    "lose": LOST_ANSWER,
    "vanish": VANISHED,
    "throttle": THROTTLED,
    "drop": DROPPED,
    "noreceipt": Verdict(receipt=False),
    "early": Verdict(receipt_first=True),
    "expired": Verdict(arrives=False, stat="EXPIRED", err="003"),
    "rejected": Verdict(arrives=False, stat="REJECTD", err="005"),
}


def by_text(body: str) -> Verdict | None:
    """The fault that a text asks for with the first fault word in its body (see `smsdesk.lab`); None without one."""
    match = _WORD.search(body)
    if match is None:
        return None
    plain, refuse, status, timed, seconds, _, err = match.groups()
    if plain:
        return _PLAIN_WORDS[plain]
    if refuse:
        return Verdict(status=int(status or "0x08", 0), arrives=False, receipt=False)
    if timed:
        delay = float(seconds or 2)
        return Verdict(answer_delay=delay) if timed == "slow" else Verdict(receipt_delay=delay)
    return Verdict(arrives=False, stat="UNDELIV", err=err or "001")


def by_settings(faults: Faults, submitted: int, random: Random) -> Verdict:
    """The fate of a line's submit_sm number `submitted` (from 1) under `faults`; every share draws its own chance."""
    if faults.drop_after and submitted >= faults.drop_after:
        return DROPPED
    for share, verdict in (
        (faults.refuse, Verdict(status=faults.refuse_status, arrives=False, receipt=False)),
        (faults.vanish, VANISHED),
        (faults.drop, DROPPED),
    ):
        if share and random.random() < share:
            return verdict
    verdict = Verdict(
        answers=random.random() >= faults.lose_answer,
        answer_delay=faults.answer_delay,
        receipt=random.random() >= faults.no_receipt,
        receipt_delay=faults.receipt_delay,
        receipt_first=random.random() < faults.receipt_first,
    )
    if random.random() < faults.undeliver:
        return replace(verdict, arrives=False, stat=faults.undeliver_stat, err=faults.undeliver_err)
    return verdict


class Throttle:
    """Counts one system's submit_sm within each second of the clock that is passed in."""

    __slots__ = ("_count", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def passes(self, now: float, limit: int) -> bool:
        """Whether one more fits under `limit` in the second of `now` (seconds); a limit of 0 lets all pass."""
        if not limit:
            return True
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return self._count <= limit
