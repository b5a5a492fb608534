"""What goes wrong on purpose, as numbers that a person sets for the whole lab. `words` has the same for one text."""

from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Status = Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]
Stat = Literal["DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
"""The end states of SMPP 3.4 appendix B."""


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults of all lines and HTTP vendors until changed. Shares are 0 to 1, times are seconds, 0 is off."""

    lose_answer: Share = 0.0
    """The handset gets the text and its answer never leaves."""
    vanish: Share = 0.0
    """Neither handset nor sender hears of the text again."""
    refuse: Share = 0.0
    """Refused with:"""
    refuse_status: Status = 0x08
    """A command_status; ESME_RSYSERR unless set."""
    throttle_above: Count = 0
    """Texts or parts a second of one system; those above get ESME_RTHROTTLED."""
    queue_full: Share = 0.0
    """A burst of ESME_RMSGQFUL begins, for so many of the system's texts:"""
    queue_full_burst: Count = 10
    answer_delay: Seconds = 0.0
    garbage: Share = 0.0
    """The handset gets the text, and octets that are no PDU leave instead of the answer."""
    half_answer: Share = 0.0
    """The handset gets the text, half of the answer leaves, and the line is closed."""
    drop: Share = 0.0
    """The handset gets the text and the line is closed instead of an answer; answers before it still leave."""
    drop_after: Count = 0
    """The line is closed instead of the answer to its submit_sm number so many."""
    reset: Share = 0.0
    """As `drop`, by a TCP reset, which takes the answers before it that have not left with it."""
    reset_after: Count = 0
    """The line is reset instead of the answer to its submit_sm number so many."""
    reset_connect: Share = 0.0
    """New connections are reset at once."""
    refuse_bind: Share = 0.0
    """Binds are refused with:"""
    refuse_bind_status: Status = 0x0D
    """A command_status; ESME_RBINDFAIL unless set."""
    hang: bool = False
    """Lines take octets and answer nothing, not even enquire_link; each stays so until it is closed."""
    undeliver: Share = 0.0
    """The handset gets nothing and the receipt says so, in these words:"""
    undeliver_stat: Stat = "UNDELIV"
    undeliver_err: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{3}$")] = "001"
    arrival_delay: Seconds = 0.0
    """The phone is away for so long: the text is on its way, and can expire, be cancelled or be replaced."""
    no_receipt: Share = 0.0
    receipt_delay: Seconds = 0.0
    """From the answer and the arrival to the receipt."""
    receipt_first: Share = 0.0
    """The receipt leaves before the answer does."""
    repeat_receipt: Share = 0.0
    """The receipt comes twice."""
    unknown_receipt: Share = 0.0
    """The receipt names an id that was never given out."""
    repeat_reply: Share = 0.0
    """A reply comes twice, with the same ids."""
    shuffle_parts: Share = 0.0
    """The parts of a long reply come in another order than they were written."""
    lose_part: Share = 0.0
    """One part of a long reply never comes."""
    lose_deliver_answer: Share = 0.0
    """The lab takes a deliver_sm_resp for lost, so the receipt or reply comes again."""
    drop_after_deliver: Count = 0
    """The line is closed after so many deliver_sm on it."""


NO_FAULTS = Faults()
