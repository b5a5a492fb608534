"""What is set up, and the changes to it, as plain values: one shape for every kind of thing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["settings", "carrier", "queue", "agent", "number", "limit", "shortcut"]
KINDS: tuple[Kind, ...] = ("settings", "carrier", "queue", "agent", "number", "limit", "shortcut")
"""In the order in which they can be made: each refers to the ones before it only, but for the settings, which name a
queue and are written last."""

Key: TypeAlias = tuple[Kind, str]
"""A thing: its kind, and its name as messages show it. Queues are named by their path (`Support/Billing`), numbers in
E.164 or as a short code, limits as `limit_name` says, agents by their lower-case e-mail address, shortcuts by their
lower-case names; the settings have no name."""

Fields: TypeAlias = Mapping[str, Any]

NEW: dict[Kind, dict[str, Any]] = {
    "settings": {},
    "carrier": {},
    "queue": {"keyword": None, "hidden": False, "position": 0},
    "agent": {
        "email": "",
        "first_name": "",
        "last_name": "",
        "agent_number": None,
        "avatar_url": None,
        "role": "agent",
        "queues": {},
        "skills": (),
        "max_chats": None,
        "password": None,
        "disabled": False,
    },
    "number": {
        "carrier": None,
        "fallbacks": (),
        "queue": None,
        "agent": None,
        "label": "",
        "campaign": None,
        "brand": None,
    },
    "limit": {"segments": None},
    "shortcut": {"category": "", "text": None},
}
"""What a new thing has where the file says nothing. Carriers, settings and queues have more, which are only there where
they were given a value: of a queue they are the settings of `domain/queue_settings.py`."""

BY_KEY = ("queue_defaults", "texts")
"""The fields that are mappings and of which a file, too, changes only the keys that it names."""

SUPERVISORS = "Supervisors"
"""The name of the queue, at the top, of what belongs to no other. It makes itself, and is no part of a set-up."""

ALWAYS = "always"
"""The hours of a queue that is open at all times, whatever the hours of the queues above it."""

PERIODS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
"""Seconds of the times that have a name in a limit."""


def effective(settings: Iterable[Fields], time_zone: str) -> dict[str, Any]:
    """What the settings of the tenant, the queues above one and its own, in this order, come to: the later go over the
    earlier one by one, and so do their texts. Hours without a time zone have the tenant's."""
    found: dict[str, Any] = {}
    for own in settings:
        texts = {**found.get("texts", {}), **own.get("texts", {})}
        found |= {**own, "texts": texts} if texts else own
    hours = found.pop("hours", ALWAYS)
    if hours != ALWAYS:
        found["hours"] = {"time_zone": time_zone, **hours}
    return found


def merged(old: Any, new: Any) -> Any:
    """A field of BY_KEY once a file with `new` for it is applied on `old`; None where nothing of it is left."""
    if new is None:
        return None
    kept = {**(old or {})}
    for name, value in new.items():
        kept[name] = merged(kept.get(name), value) if name in BY_KEY else value
    return {name: value for name, value in kept.items() if value is not None} or None


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
    """A tenant as it stands in the database; `tenant_id` is None where there is none of that subdomain. An agent's
    `queues` are paths, each with the number of the group of the queue's agents that he is in."""

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
