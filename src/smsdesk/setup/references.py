"""What a document refers to, settled against all that will stand there: its own items and those of the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smsdesk.domain.setup import NEW, Fields, Key, State
from smsdesk.setup.faults import Fault, Place, WrongValue, closest, meant
from smsdesk.setup.queues import ordered, parent_of
from smsdesk.setup.wanted import Item, Wanted


def settle(current: State, wanted: Wanted) -> Wanted:
    """Gives every queue its position and its full path wherever it is named, and takes deleted branches whole.

    Adds the mistakes that only show against the database: names that lead nowhere, or to something that goes.
    """
    faults: list[Fault] = list(wanted.faults)
    items = [*_with_branches(current, wanted.items)]
    queues = _of(final(current, items), "queue")
    positions = ordered(current.of("queue"), [item for item in items if item.kind == "queue"])
    settled = [_settled(item, queues, positions, faults) for item in items]
    settled += _moved(current, settled, positions)
    settled += _left_out(current, settled, queues)
    faults += _dangling(current, settled)
    faults += _doubled(current, settled)
    return replace(wanted, items=tuple(settled), faults=tuple(faults))


def final(current: State, items: Iterable[Item]) -> dict[Key, Fields]:
    """All that stands once the items are applied."""
    things: dict[Key, Fields] = dict(current.things)
    for item in items:
        if item.deleted:
            things.pop(item.key, None)
        else:
            things[item.key] = {**things.get(item.key, NEW[item.kind]), **item.fields}
    return things


def _of(things: Mapping[Key, Fields], kind: str) -> dict[str, Fields]:
    return {name: fields for (each, name), fields in things.items() if each == kind}


def _with_branches(current: State, items: Sequence[Item]) -> Iterator[Item]:
    """The items, each deleted queue followed by all that stands below it."""
    existing = current.of("queue")
    for item in items:
        yield item
        if item.kind == "queue" and item.deleted:
            below = [name for name in existing if name.startswith(f"{item.name}/")]
            yield from (replace(item, name=name) for name in sorted(below))


def _settled(item: Item, queues: Mapping[str, Fields], positions: Mapping[str, int], faults: list[Fault]) -> Item:
    fields: dict[str, Any] = dict(item.fields)
    try:
        if item.kind == "queue" and not item.deleted:
            fields["position"] = positions[item.name]
        elif item.kind == "number" and fields.get("queue") is not None:
            fields["queue"] = _find_queue(fields["queue"], queues)
    except WrongValue as wrong:
        faults.append(Fault(item.where("queue"), str(wrong)))
    if item.kind == "agent" and "queues" in fields:
        fields["queues"] = tuple(sorted(set(_leaves(item, queues, faults))))
    return replace(item, fields=fields)


def _find_queue(name: str, queues: Mapping[str, Fields]) -> str:
    """The one queue whose path is or ends with the name."""
    found = [path for path in queues if path == name] or [path for path in queues if path.endswith(f"/{name}")]
    if not found:
        near = closest(name, (path.rpartition("/")[2] for path in queues))
        raise WrongValue(f'there is no queue "{name}".{near or meant(name, queues)}')
    if len(found) > 1:
        raise WrongValue(f'"{name}" could be {" or ".join(sorted(found))}: write the whole path')
    return found[0]


def _leaves(item: Item, queues: Mapping[str, Fields], faults: list[Fault]) -> Iterator[str]:
    for index, name in enumerate(item.fields["queues"]):
        try:
            path = _find_queue(name, queues)
            below = [each for each in queues if parent_of(each) == path]
            if below:
                raise WrongValue(f'"{path}" has queues below it: an agent works in leaves, such as {below[0]}')
            yield path
        except WrongValue as wrong:
            faults.append(Fault(item.where(f"queues[{index}]"), str(wrong)))


def _moved(current: State, items: Sequence[Item], positions: Mapping[str, int]) -> Iterator[Item]:
    """The queues that the file does not name and that get another position."""
    named = {item.name for item in items if item.kind == "queue"}
    for name, fields in current.of("queue").items():
        if name in positions and name not in named and fields["position"] != positions[name]:
            yield Item("queue", name, {"position": positions[name]}, Place())


def _left_out(current: State, items: Sequence[Item], queues: Mapping[str, Fields]) -> Iterator[Item]:
    """The agents that the file gives no queues and that lose one that goes."""
    named = {item.name for item in items if item.kind == "agent" and "queues" in item.fields}
    for email, fields in current.of("agent").items():
        left = tuple(path for path in fields["queues"] if path in queues)
        if email not in named and left != fields["queues"]:
            yield Item("agent", email, {"queues": left}, Place())


def _dangling(current: State, items: Sequence[Item]) -> Iterator[Fault]:
    """What would point at nothing: numbers without their carrier or queue, agents in a queue that gets queues below."""
    things = final(current, items)
    carriers, queues = _of(things, "carrier"), _of(things, "queue")
    places = {item.key: item for item in items}
    for number, fields in _of(things, "number").items():
        item = places.get(("number", number))
        if item and fields["carrier"] is None and "carrier" not in item.places:
            yield Fault(item.place, f"the new number needs a carrier.{meant('', carriers)}")
        elif fields["carrier"] is not None and fields["carrier"] not in carriers:
            gone = places.get(("carrier", fields["carrier"]))
            if item and "carrier" in item.fields:
                named = fields["carrier"]
                yield Fault(item.where("carrier"), f'there is no carrier "{named}".{meant(named, carriers)}')
            elif gone:
                yield Fault(gone.place, f"the number {number} still uses it: give that another carrier, or delete it")
        gone = places.get(("queue", fields["queue"] or ""))
        if gone and gone.deleted and not (item and "queue" in item.fields):
            yield Fault(gone.place, f"the number {number} still leads to it: give that another queue, or null")
    for email, fields in _of(things, "agent").items():
        for path in fields["queues"]:
            below = [name for name in queues if parent_of(name) == path]
            if below and ("queue", below[0]) in places and ("agent", email) not in places:
                says = f"{email} works in {path}, which would no longer be a leaf: give the agent other queues as well"
                yield Fault(places["queue", below[0]].place, says)


def _doubled(current: State, items: Sequence[Item]) -> Iterator[Fault]:
    """Keywords and agent numbers that two would have."""
    things = final(current, items)
    for kind, field in (("queue", "keyword"), ("agent", "agent_number")):
        owners: dict[Any, list[str]] = {}
        for name, fields in _of(things, kind).items():
            if fields[field] is not None:
                owners.setdefault(str(fields[field]).upper(), []).append(name)
        for item in items:
            if item.kind != kind or item.deleted or item.fields.get(field) is None:
                continue
            others = [name for name in owners[str(item.fields[field]).upper()] if name != item.name]
            if others:
                says = f"{item.fields[field]} is the {field.replace('_', ' ')} of {others[0]} already: choose another"
                yield Fault(item.where(field), says)
