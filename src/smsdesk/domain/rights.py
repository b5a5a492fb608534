"""What the people at the desk may do, by their roles."""

from typing import Literal, get_args

Role = Literal["agent", "supervisor", "administrator"]
Right = Literal["work", "supervise", "administer"]
"""`work`: chats of one's own and those that wait in one's queues. `supervise`: every chat, agent and report of the
tenant. `administer`: its set-up, tokens and audit."""

RIGHTS: frozenset[str] = frozenset(get_args(Right))
OF_ROLES: dict[str, frozenset[str]] = {
    "agent": frozenset({"work"}),
    "supervisor": frozenset({"work", "supervise"}),
    "administrator": frozenset({"work", "supervise", "administer"}),
}


def has_right(role: str, right: Right) -> bool:
    """Whether a person of this role may do what needs this right; no role that we do not know may do anything."""
    return right in OF_ROLES.get(role, frozenset())
