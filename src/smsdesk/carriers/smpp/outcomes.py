"""What a refusal of a submit_sm means (SMPP 3.4 section 5.1.3) in the words of all carriers."""

from smsdesk.carriers.contract import Refused
from smsdesk.carriers.smpp.status import Status, describe

THROTTLING = frozenset({Status.RTHROTTLED, Status.RMSGQFUL})
"""These speak of the line and not of the text: the whole line slows and keeps its order."""

_LATER = 60.0
_MEANINGS: dict[int, tuple[str, float | None]] = {
    Status.RTHROTTLED: ("queue_full", 1.0),
    Status.RMSGQFUL: ("queue_full", 1.0),
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


def refusal(command_status: int) -> Refused:
    """Translates a command_status other than ESME_ROK. What the table lacks is never tried again: a carrier's fault
    where the standard names it, `unknown_error` where only the vendor knows (0x400 and above)."""
    named = "carrier_error" if command_status in Status.__members__.values() else "unknown_error"
    reason, retry_after = _MEANINGS.get(command_status, (named, None))
    return Refused(reason, describe(command_status), retry_after)
