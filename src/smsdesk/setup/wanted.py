"""What a set-up file wants: the things that it names, and only those of their fields that it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from smsdesk.domain.setup import Fields, Key, Kind
from smsdesk.setup.faults import Fault, Place


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """One document of a file, read: what it names, in its order, and the mistakes found in it so far."""

    subdomain: str
    items: tuple[Item, ...]
    faults: tuple[Fault, ...] = ()
