"""The trace of a text: why it was sent, what became of it, and what a person may do about it now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smsdesk.domain.outcome import REASONS

STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("Waits to be sent", "Nothing: it leaves by itself while it is valid"),
    "sending": ("Handed to the carrier, which has not answered yet", "Nothing: the answer, or its absence, comes soon"),
    "sent": ("The carrier took it and has not said yet what became of it", "Wait for the delivery report"),
    "doubtful": (
        REASONS["ambiguous"],
        "Wait for a report; if none comes, ask the carrier, and write it down with `smsdesk texts settle`",
    ),
    "delivered": ("Reached the phone", "Nothing"),
}
"""State to what a person reads, and what he may do. The states that are not here are told by their reason."""

SILENT = (
    "The carrier took it and never said what became of it",
    "Ask the carrier, naming its id of the text, where it matters",
)
"""The same for a text that has ended as `sent`."""

REMEDIES: Mapping[str, str] = {
    "opted_out": "Do not text this number until its owner sends START",
    "unreachable": "Send it again later",
    "blocked": "Reach the person another way, or ask the carrier why it blocks the number",
    "unknown_number": "Correct the number",
    "landline": "Call, or ask the person for a mobile number",
    "filtered": "Change the words, and ask the carrier what it objects to",
    "unknown_error": "Ask the carrier, naming its code",
    "queue_full": "Send less at once, or ask the carrier for a higher rate",
    "unregistered": "Register the number, or the campaign that it belongs to, with the carrier",
    "expired_here": "Look with `smsdesk doctor` at why its line did not take it in time",
    "bad_sender": "Have the carrier allow this number as a sender",
    "too_long": "Shorten it",
    "carrier_error": "Send it again; if it fails again, ask the carrier, naming its code",
    "not_sent": "Send it again if it is still wanted",
    "ambiguous": STATES["doubtful"][1],
}
"""Reason of `domain.outcome.REASONS` to what a person may do about it."""


@dataclass(frozen=True, slots=True)
class TracedPart:
    """One part in one attempt, as the ledger has it."""

    attempt: int
    part: int
    carrier: str
    state: str
    carrier_part_id: str | None
    code: str | None
    claimed_at: datetime
    """When it was written down that the part may leave from now on."""
    state_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """The text went to another carrier than before, and why."""

    at: datetime
    from_carrier: str
    to_carrier: str
    why: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What a person said of a doubtful attempt."""

    attempt: int
    at: datetime
    verdict: str
    settled_by: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A change of whether the number may be texted, and the words that made it."""

    at: datetime
    kind: str
    """`opted_out` or `opted_in`."""
    source: str
    words: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that is on disk about one text of ours, as of one moment."""

    message_id: int
    chat_id: int
    sender: str
    """`api`, `agent` or `system`."""
    credential: str | None
    """The name of the API token that it came with."""
    agent: str | None
    """The e-mail address of the agent in whose name it was sent."""
    source: str
    destination: str
    body: str
    encoding: str
    parts: int
    created_at: datetime
    on_doubt: str
    """What becomes of it where nobody knows whether it left: `hold` or `resend`."""
    valid_until: datetime | None
    """While it is in flight: when it is too late to send it."""
    price: Decimal | None
    currency: str | None
    state: str
    reason: str | None
    code: str | None
    state_at: datetime
    ended: bool
    """Whether it is out of flight. A text that ended as `sent` still gets a late delivery report."""
    ledger: tuple[TracedPart, ...]
    """In the order of attempt and part."""
    moves: tuple[Move, ...]
    settlements: tuple[Settled, ...]
    consent: tuple[Consent, ...]
    """Of the number, until the text ended, the oldest first."""

    @property
    def arrived(self) -> int:
        """How many parts of the latest attempt have reached the phone."""
        latest = max((one.attempt for one in self.ledger), default=0)
        return sum(one.attempt == latest and one.state == "delivered" for one in self.ledger)

    @property
    def says(self) -> str:
        """What became of the text so far, in words for people."""
        words = self._words()[0]
        return f"{words}; {self.arrived} of {self.parts} parts arrived" if 0 < self.arrived < self.parts else words

    @property
    def remedy(self) -> str:
        """What a person may do about it now."""
        return self._words()[1]

    def _words(self) -> tuple[str, str]:
        if self.state == "sent" and self.ended:
            return SILENT
        if self.state in STATES and (self.state != "queued" or self.reason is None):
            return STATES[self.state]
        reason = self.reason if self.reason in REASONS else "unknown_error"
        if self.state == "queued":
            return f"{STATES['queued'][0]} again: {REASONS[reason]}", STATES["queued"][1]
        return REASONS[reason], REMEDIES[reason]
