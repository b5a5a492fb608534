"""What a refusal of a submit_sm means (SMPP 3.4 section 5.1.3) in the words of all carriers."""

from collections.abc import Mapping

from smsdesk.carriers.contract import Refused
from smsdesk.carriers.smpp.status import Status, describe

_SOON, _LATER = 1.0, 60.0
_MEANINGS: dict[int, tuple[str, float | None]] = {
    Status.RTHROTTLED: ("queue_full", _SOON),
    Status.RMSGQFUL: ("queue_full", _SOON),
    Status.RSYSERR: ("carrier_error", _LATER),
    Status.RX_T_APPN: ("carrier_error", _LATER),
    Status.RINVBNDSTS: ("carrier_error", _LATER),
    Status.RX_P_APPN: ("carrier_error", None),
    Status.RX_R_APPN: ("carrier_error", None),
    Status.RINVSRCADR: ("bad_sender", None),
    Status.RINVSRCTON: ("bad_sender", None),
    Status.RINVSRCNPI: ("bad_sender", None),
    Status.RINVDSTADR: ("unknown_number", None),
    Status.RINVDSTTON: ("unknown_number", None),
    Status.RINVDSTNPI: ("unknown_number", None),
    Status.RSUBMITFAIL: ("blocked", None),
    Status.RINVMSGLEN: ("too_long", None),
    Status.RINVPARLEN: ("too_long", None),
    Status.RINVEXPIRY: ("expired_here", None),
    Status.RUNKNOWNERR: ("unknown_error", None),
}
_RETRIES = {"queue_full": _SOON, "carrier_error": _LATER}
"""Of the reasons that a person gives to a command_status; every other one is final."""


def read_status(words: str) -> int:
    """A command_status as people write it: `0x45` or `1025`. ValueError for anything else, and for ESME_ROK."""
    try:
        status = int(words, 0)
    except ValueError:
        status = 0
    if not 0 < status <= 0xFFFFFFFF:
        raise ValueError(f"{words!r} is no command_status: write it as 0x45 or 1025")
    return status


def read_meanings(reasons: Mapping[str, str]) -> dict[int, tuple[str, float | None]]:
    """The table of one carrier: the standard's, and above it what a person knows of the carrier's own values."""
    own = {read_status(status): (reason, _RETRIES.get(reason)) for status, reason in reasons.items()}
    return _MEANINGS | own


def refusal(command_status: int, meanings: Mapping[int, tuple[str, float | None]] = _MEANINGS) -> Refused:
    """Translates a command_status other than ESME_ROK. What the table lacks is never tried again: a carrier's fault
    where the standard names it, `unknown_error` where only the vendor knows (0x400 and above)."""
    named = "carrier_error" if command_status in Status.__members__.values() else "unknown_error"
    reason, retry_after = meanings.get(command_status, (named, None))
    return Refused(reason, describe(command_status), retry_after)


def is_throttling(refused: Refused) -> bool:
    """Whether the carrier speaks of its line and not of the text: then the whole line slows and keeps its order."""
    return refused.reason == "queue_full"
