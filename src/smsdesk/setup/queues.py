"""The queues of a file as a flat list of items: their paths, their words, their order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from smsdesk.domain.consent import read_words
from smsdesk.domain.setup import Fields
from smsdesk.setup.faults import WrongValue, closest, meant
from smsdesk.setup.queue_settings import READERS as SETTING_READERS
from smsdesk.setup.values import Reader, Value, boolean, mapping, nullable, text
from smsdesk.setup.wanted import Item

DEEPEST = 6
"""Levels: a menu by text that is deeper is walked by nobody."""


def _name(value: Value) -> str:
    name = text(60)(value)
    if "/" in name:
        raise WrongValue('holds "/", which separates a queue from its parent: use another character')
    return _unreserved(name)


def _keyword(value: Value) -> str:
    keyword = text(32)(value)
    if keyword.isdigit():
        raise WrongValue("is a number, which picks a line of the menu: use a word, such as BILL")
    return _unreserved(keyword)


def _unreserved(word: str) -> str:
    if read_words(word, opted_out=True):
        raise WrongValue(reserved(word))
    return word


def reserved(word: str) -> str:
    """Why a word can be no name or keyword of a queue."""
    return f'"{word}" is reserved: a consumer who texts it means STOP, START, HELP or a way through the menu'


_READERS: dict[str, Reader[Any]] = {
    "name": _name,
    "keyword": nullable(_keyword),
    "hidden": boolean,
    **SETTING_READERS,
    "deleted": boolean,
    "move_chats_to": text(400),
    "children": lambda value: value,
}


def read_queues(value: Value, parent: str = "", depth: int = 1) -> Iterator[Item]:
    """Reads a list of queues and, below each, its children: parents before children, in the order of the file."""
    if depth > DEEPEST:
        raise WrongValue(f"queues nest at most {DEEPEST} deep")
    seen: set[str] = set()
    for entry in value.entries():
        read = entry.read(lambda each: mapping(each, _READERS))
        if read is None:
            continue
        fields, places = read
        name = fields.pop("name", None)
        if name is None:
            if "name" not in places:
                entry.wrong("has no name: give it one, such as name: Support")
            continue
        if name in seen:
            entry.wrong(f'two queues here are called "{name}": give one of them another name')
            continue
        seen.add(name)
        children = fields.pop("children", None)
        deleted = bool(fields.pop("deleted", False))
        goal = {"move_chats_to": fields.pop("move_chats_to")} if "move_chats_to" in fields else {}
        if deleted and (fields or children):
            entry.wrong("is deleted, so its other keys have no meaning: remove them (its children go with it)")
        if goal and not deleted:
            entry.wrong("stays, so that its chats stay in it: write `deleted: true` beside move_chats_to")
        path = f"{parent}/{name}" if parent else name
        yield Item("queue", path, goal if deleted else fields, entry.place, places, deleted)
        if children is not None and not deleted:
            yield from children.read(lambda each, path=path: list(read_queues(each, path, depth + 1))) or ()


def ordered(existing: Mapping[str, Fields], items: Sequence[Item]) -> dict[str, int]:
    """The position of every queue among its siblings, from 1, after the file.

    A file that names all the siblings that stay sets their order; one that names some leaves the order as it is and
    puts new ones at the end.
    """
    named = [item.name for item in items if not item.deleted]
    gone = {item.name for item in items if item.deleted}
    stay = sorted((name for name in existing if name not in gone), key=lambda name: existing[name]["position"])
    positions: dict[str, int] = {}
    for parent in dict.fromkeys(parent_of(name) for name in [*stay, *named]):
        before = [name for name in stay if parent_of(name) == parent]
        wanted = [name for name in named if parent_of(name) == parent]
        every = wanted if set(before) <= set(wanted) else [*before, *(name for name in wanted if name not in before)]
        positions.update({name: index for index, name in enumerate(every, 1)})
    return positions


def parent_of(path: str) -> str:
    """The path of a queue's parent; empty for a queue at the top."""
    return path.rpartition("/")[0]


def children_of(path: str, queues: Iterable[str]) -> list[str]:
    """The paths of the queues directly below one."""
    return [each for each in queues if parent_of(each) == path]


def find_queue(name: str, queues: Mapping[str, Fields]) -> str:
    """The one queue whose path is or ends with the name."""
    found = [path for path in queues if path == name] or [path for path in queues if path.endswith(f"/{name}")]
    if not found:
        near = closest(name, (path.rpartition("/")[2] for path in queues))
        raise WrongValue(f'there is no queue "{name}".{near or meant(name, queues)}')
    if len(found) > 1:
        raise WrongValue(f'"{name}" could be {" or ".join(sorted(found))}: write the whole path')
    return found[0]


def find_leaf(name: str, queues: Mapping[str, Fields], why: str) -> str:
    """The path of the one queue without queues below it that is meant by the name."""
    path = find_queue(name, queues)
    if below := children_of(path, queues):
        raise WrongValue(f'"{path}" has queues below it: {why}, such as {below[0]}')
    return path
