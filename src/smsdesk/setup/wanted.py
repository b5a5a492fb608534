"""What a set-up file wants: the things that it names, and only those of their fields that it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smsdesk.domain.setup import Fields, Key, Kind
from smsdesk.setup.faults import Fault, Place
from smsdesk.setup.values import Value


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a file names: only the fields that stand there, and where they stand."""

    kind: Kind
    name: str
    fields: Fields
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    deleted: bool = False

    @property
    def key(self) -> Key:
        return self.kind, self.name

    def where(self, name: str) -> Place:
        return self.places.get(name, self.place)


def named_item(value: Value, kind: Kind, fields: dict[str, Any], places: dict[str, Place]) -> Item | None:
    """The item of a number, an agent or a shortcut; None where its name cannot be read, which is then recorded."""
    key = {"agent": "email", "shortcut": "name"}.get(kind, kind)
    if key not in fields:
        if key not in places:
            value.wrong(f"has no `{key}`: every {kind} needs one")
        return None
    deleted = bool(fields.pop("deleted", False))
    name = fields[key].lower() if kind == "agent" else fields.pop(key)
    if deleted and fields:
        value.wrong("is deleted, so its other keys have no meaning: remove them")
    return Item(kind, name, fields, value.place, places, deleted)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One document of a file, read: what it names, in its order, and the mistakes found in it so far."""

    subdomain: str
    items: tuple[Item, ...]
    faults: tuple[Fault, ...] = ()
