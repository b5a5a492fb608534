"""What is set up, and the changes to it, as plain values: one shape for every kind of thing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["settings", "carrier", "queue", "number", "limit", "agent"]
KINDS: tuple[Kind, ...] = ("settings", "carrier", "queue", "number", "limit", "agent")
"""In the order in which they can be made: each refers to the ones before it only."""

Key: TypeAlias = tuple[Kind, str]
"""A thing: its kind, and its name as messages show it. Queues are named by their path (`Support/Billing`), numbers in
E.164 or as a short code, limits as `limit_name` says, agents by their lower-case e-mail address; the settings have no
name."""

Fields: TypeAlias = Mapping[str, Any]

NEW: dict[Kind, dict[str, Any]] = {
    "settings": {},
    "carrier": {},
    "queue": {"keyword": None, "hidden": False, "position": 0},
    "number": {"carrier": None, "fallbacks": (), "queue": None, "label": "", "campaign": None, "brand": None},
    "limit": {"segments": None},
    "agent": {
        "email": "",
        "first_name": "",
        "last_name": "",
        "agent_number": None,
        "avatar_url": None,
        "role": "agent",
        "queues": (),
        "password": None,
        "disabled": False,
    },
}
"""What a new thing has where the file says nothing."""

PERIODS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
"""Seconds of the times that have a name in a limit."""


def limit_name(scope: str, of: str, seconds: int) -> str:
    """The name of a limit, such as `campaign alerts per minute` or `tenant per 90 seconds`; `of` is the one thing that
    it limits, empty for the tenant."""
    word = next((word for word, length in PERIODS.items() if length == seconds), f"{seconds} seconds")
    return f"{scope} {of}".rstrip() + f" per {word}"


def read_limit_name(name: str) -> tuple[str, str, int]:
    """The scope, the thing and the seconds that `limit_name` made a name of."""
    limited, _, word = name.rpartition(" per ")
    scope, _, of = limited.partition(" ")
    return scope, of, PERIODS.get(word) or int(word.split()[0])


@dataclass(frozen=True, slots=True)
class State:
    """A tenant as it stands in the database; `tenant_id` is None where there is none of that subdomain."""

    subdomain: str
    tenant_id: int | None = None
    things: Mapping[Key, Fields] = field(default_factory=dict)

    def of(self, kind: Kind) -> dict[str, Fields]:
        """The things of a kind by their names."""
        return {name: fields for (each, name), fields in self.things.items() if each == kind}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`old` is None where there was no value."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: a thing made, changed or taken away."""

    action: Literal["create", "update", "delete"]
    kind: Kind
    name: str
    fields: tuple[FieldChange, ...] = ()
