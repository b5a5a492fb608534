"""The states of a text and of its parts, and the one table of legal moves.

The SQL of store/migrations moves texts (0003, 0004, 0006, 0007); tests/store/test_text_moves.py holds it against this.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

MOVES: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"sending", "expired", "failed"}),
    "sending": frozenset({"sent", "queued", "failed", "doubtful"}),
    "doubtful": frozenset({"sent", "queued", "failed", "delivered", "undelivered", "expired"}),
    # `sent` is where a text rests, and where it ends when no receipt comes: the one end that a late fact improves.
    "sent": frozenset({"delivered", "undelivered", "failed", "expired"}),
    "delivered": frozenset(),
    "undelivered": frozenset(),
    "failed": frozenset(),
    "expired": frozenset(),
}
"""From each state, where a text may go next. Nothing leads back from an end, so a late fact changes nothing there."""

ENDS = frozenset(state for state, following in MOVES.items() if not following)
"""The states that no fact changes any more."""


def judge_parts(states: Sequence[str]) -> str | None:
    """How a text ends whose parts stand like this, in the order of their ends; None while one is still open.

    A text of which a part did not arrive is never delivered: it ends as its first part that failed.
    """
    if not all(state in ENDS for state in states):
        return None
    return next((state for state in states if state != "delivered"), "delivered")


class ClaimedText(NamedTuple):
    """A text that this node has to send, and no other."""

    message_id: int
    attempt: int
    source: str
    destination: str
    body: str
    parts: int
    valid_until: datetime
    with_media: bool
    """Whether files go with it."""
    media: tuple[str, ...] = ()
    """Links to these files."""


class AttemptOutcome(NamedTuple):
    """What became of one attempt; it counts for that attempt alone."""

    message_id: int
    attempt: int
    kind: str
    """`accepted`, `refused`, `unsent` or `doubtful`."""
    reason: str | None = None
    """One of `domain.outcome.REASONS` for a refusal."""
    code: str | None = None
    retry_after: float | None = None
    """Seconds until a refused text may be tried again; None means never."""
    part_ids: tuple[str | None, ...] = ()
    """The carrier's names of the parts, in order; None for each that it did not answer for."""


class PartReceipt(NamedTuple):
    """A delivery report: how the part that the carrier calls `part_id` ended, or `sent` for an interim word."""

    part_id: str
    state: str
    reason: str | None
    code: str
    number: str | None = None
    """The phone that it reports on, where it says so."""
    reference: int | None = None
    """The message's id modulo 65,536, where the carrier gives it back."""
    whole: bool = False
    """It speaks of all parts of the text, for which the carrier has one name."""
