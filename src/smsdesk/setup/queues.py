"""The queues of a file as a flat list of items: their paths, their words, their order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smsdesk.domain.consent import read_words
from smsdesk.domain.setup import Fields
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Reader, Value, boolean, mapping, nullable, text
from smsdesk.setup.wanted import Item

DEEPEST = 6
"""Levels: a menu by text that is deeper is walked by nobody."""

MENU_WORDS = frozenset({"BACK", "EXIT"})
"""Ways through a menu. With the words of consent they are the imitated product's reserved words."""


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
    if read_words(word, opted_out=True) or word.upper() in MENU_WORDS:
        raise WrongValue(f'"{word}" is reserved: a consumer who texts it means STOP, START, HELP, BACK or EXIT')
    return word


_READERS: dict[str, Reader[Any]] = {
    "name": _name,
    "keyword": nullable(_keyword),
    "hidden": boolean,
    "deleted": boolean,
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
        if deleted and (fields or children):
            entry.wrong("is deleted, so its other keys have no meaning: remove them (its children go with it)")
        path = f"{parent}/{name}" if parent else name
        yield Item("queue", path, {} if deleted else fields, entry.place, places, deleted)
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
