"""What an agent does: the statuses that he may choose, and those that only the system sets."""

from collections.abc import Iterable

from smsdesk.errors import Problem

AVAILABLE, OFFLINE = "available", "offline"
AWAY = ("unavailable", "break", "meal", "special_task")
"""He is at work, and is asked for nothing."""
CHOSEN = (AVAILABLE, *AWAY, OFFLINE)
"""What every tenant has; `agent_statuses` of its settings adds to AWAY."""
SYSTEM = ("missed_chat", "unresponsive", "wrap_up")
"""Missed an offer; not heard of in time; busy after a chat. A person may leave these, and not choose them. Nobody is in
`wrap_up` here, for it takes one of an agent's places and leaves him the others, but the word is the imitated product's
and no tenant may use it for something else."""

LONGEST_REASON = 255


def is_online(status: str) -> bool:
    """Whether an agent of this status is logged in."""
    return status != OFFLINE


def choices(own: Iterable[str]) -> tuple[str, ...]:
    """All that an agent of a tenant with these statuses of its own may choose, in the order of a menu."""
    more = tuple(status for status in own if _plain(status) not in (*CHOSEN, *SYSTEM))
    return (AVAILABLE, *AWAY, *more, OFFLINE)


def read_status(raw: str, own: Iterable[str]) -> str:
    """The status that is meant, however it is written (`Special Task` is `special_task`); raises Problem where it is
    unknown, or not for a person to choose."""
    wanted, known = _plain(raw), choices(own)
    if wanted in SYSTEM:
        raise Problem("status_not_chosen", f"Agent can't be changed to system status '{wanted}'")
    for status in known:
        if _plain(status) == wanted:
            return status
    raise Problem("parameter_invalid", f"status must be one of {', '.join(known)}")


def read_reason(raw: str | None) -> str | None:
    """Why, in the agent's own words; None where he gives none. Raises Problem where it is no short line."""
    reason = (raw or "").strip()
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Problem("parameter_invalid", f"reason must be a line of at most {LONGEST_REASON} characters")
    return reason or None


def _plain(status: str) -> str:
    return "_".join(status.replace("-", " ").replace("_", " ").lower().split())
