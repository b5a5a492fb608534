"""What is set up, and the changes to it, as plain values: one shape for every kind of thing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["settings", "carrier", "queue", "number", "agent"]
KINDS: tuple[Kind, ...] = ("settings", "carrier", "queue", "number", "agent")
"""In the order in which they can be made: each refers to the ones before it only."""

Key: TypeAlias = tuple[Kind, str]
"""A thing: its kind, and its name as messages show it. Queues are named by their path (`Support/Billing`), numbers in
E.164 or as a short code, agents by their lower-case e-mail address; the settings have no name."""

Fields: TypeAlias = Mapping[str, Any]

NEW: dict[Kind, dict[str, Any]] = {
    "settings": {},
    "carrier": {},
    "queue": {"keyword": None, "hidden": False, "position": 0},
    "number": {"carrier": None, "queue": None, "label": ""},
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
