"""What a document refers to, settled against all that will stand there: its own items and those of the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smsdesk.domain.setup import NEW, Fields, Key, State
from smsdesk.setup.dangling import dangling
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
    after = replace(current, things=final(current, settled))
    faults += dangling(current, after, {item.key: item for item in settled})
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
