"""What a document refers to, settled against all that will stand there: its own items and those of the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smsdesk.domain.menu import normal
from smsdesk.domain.setup import BY_KEY, NEW, SUPERVISORS, Fields, Key, Kind, State, merged
from smsdesk.setup.agents import groups_of, queues_of
from smsdesk.setup.dangling import dangling
from smsdesk.setup.faults import Fault, Place, WrongValue
from smsdesk.setup.menu_words import clashes
from smsdesk.setup.queue_settings import contradictions
from smsdesk.setup.queues import find_leaf, find_queue, ordered
from smsdesk.setup.wanted import Item, Wanted


def settle(current: State, wanted: Wanted) -> Wanted:
    """Gives every queue its position and its full path wherever it is named, and takes deleted branches whole.

    Adds the mistakes that only show against the database: names that lead nowhere, or to something that goes.
    """
    faults: list[Fault] = list(wanted.faults)
    items = [_merged(current, item) for item in _with_branches(current, wanted.items)]
    after = replace(current, things=final(current, items))
    positions = ordered(current.of("queue"), [item for item in items if item.kind == "queue"])
    settled = [_settled(item, after, positions, faults) for item in items]
    settled += _moved(current, settled, positions)
    settled += _left_out(current, settled, after)
    named = {item.key: item for item in settled}
    after = replace(current, things=final(current, settled))
    faults += [fault for judge in (contradictions, clashes) for fault in judge(after, named)]
    faults += dangling(current, after, named)
    faults += _doubled(current, settled)
    faults += _taken(current, settled)
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


def _with_branches(current: State, items: Sequence[Item]) -> Iterator[Item]:
    """The items, each deleted queue followed by all that stands below it."""
    existing = current.of("queue")
    for item in items:
        yield item
        if item.kind == "queue" and item.deleted:
            below = [name for name in existing if name.startswith(f"{item.name}/")]
            yield from (replace(item, name=name) for name in sorted(below))


def _merged(current: State, item: Item) -> Item:
    """The item with what stands already under the keys of its mappings that the file does not name."""
    before = current.things.get(item.key, {})
    by_key = {name: merged(before.get(name), item.fields[name]) for name in BY_KEY if name in item.fields}
    return replace(item, fields={**item.fields, **by_key}) if by_key else item


def _settled(item: Item, after: State, positions: Mapping[str, int], faults: list[Fault]) -> Item:
    fields: dict[str, Any] = dict(item.fields)
    if item.kind == "queue" and not item.deleted:
        fields["position"] = positions[item.name]
    for name, find in (("queue", find_queue), ("default_queue", _waiting), ("move_chats_to", _waiting)):
        try:
            if fields.get(name) is not None:
                fields[name] = find(fields[name], after.of("queue"))
        except WrongValue as wrong:
            faults.append(Fault(item.where(name), str(wrong)))
    if item.kind == "number" and fields.get("agent") is not None:
        fields["agent"] = fields["agent"].lower()
    if item.kind == "agent" and "queues" in fields:
        fields["queues"] = queues_of(item, after, faults)
    return replace(item, fields=fields)


def _waiting(name: str, queues: Mapping[str, Fields]) -> str:
    return find_leaf(name, queues, "chats wait in leaves")


def _moved(current: State, items: Sequence[Item], positions: Mapping[str, int]) -> Iterator[Item]:
    """The queues that the file does not name and that get another position."""
    named = {item.name for item in items if item.kind == "queue"}
    for name, fields in current.of("queue").items():
        if name in positions and name not in named and fields["position"] != positions[name]:
            yield Item("queue", name, {"position": positions[name]}, Place())


def _left_out(current: State, items: Sequence[Item], after: State) -> Iterator[Item]:
    """The agents that the file gives no queues and that lose one that goes, or whose group of one goes: they stand in
    its first group then."""
    named = {item.name for item in items if item.kind == "agent" and "queues" in item.fields}
    standing = after.of("queue")
    sizes: dict[str, int] = {}
    for email, fields in current.of("agent").items():
        left: dict[str, int] = {}
        for path, group in fields["queues"].items():
            if path in standing:
                most = sizes.setdefault(path, max(1, len(groups_of(after, path)))) if group > 1 else 1
                left[path] = group if group <= most else 1
        if email not in named and left != fields["queues"]:
            yield Item("agent", email, {"queues": left}, Place())


def _doubled(current: State, items: Sequence[Item]) -> Iterator[Fault]:
    """Keywords and agent numbers that two would have."""
    after = replace(current, things=final(current, items))
    fields_of: tuple[tuple[Kind, str], ...] = (("queue", "keyword"), ("agent", "agent_number"))
    for kind, field in fields_of:
        owners: dict[Any, list[str]] = {}
        for name, fields in after.of(kind).items():
            if fields[field] is not None:
                owners.setdefault(normal(str(fields[field])), []).append(name)
        for item in items:
            if item.kind != kind or item.deleted or item.fields.get(field) is None:
                continue
            others = [name for name in owners[normal(str(item.fields[field]))] if name != item.name]
            if others:
                says = f"{item.fields[field]} is the {field.replace('_', ' ')} of {others[0]} already: choose another"
                yield Fault(item.where(field), says)


def _taken(current: State, items: Sequence[Item]) -> Iterator[Fault]:
    """A new queue with the name of the one that makes itself."""
    for item in items:
        if item.key == ("queue", SUPERVISORS) and not item.deleted and item.key not in current.things:
            says = f'"{SUPERVISORS}" is the queue of what belongs to no other, which makes itself: use another name'
            yield Fault(item.where("name"), says)
