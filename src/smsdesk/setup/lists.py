"""Readers of lists: in which each value stands once, or whose values keep their places."""

from typing import Any, TypeVar

from smsdesk.setup.faults import Place
from smsdesk.setup.values import Reader, Value

T = TypeVar("T")


def distinct(reader: Reader[T]) -> Reader[list[T]]:
    """A list in which each value stands once."""

    def read(value: Value) -> list[T]:
        found: list[T] = []
        for each in value.entries():
            given = each.read(reader)
            if given in found:
                each.wrong("stands here twice: keep one of them")
            elif given is not None:
                found.append(given)
        return found

    return read


def listed(reader: Reader[T]) -> Reader[dict[Place, T]]:
    """A list of values, each with its place, so that what is found out about one later can be said where it stands."""

    def read(value: Value) -> dict[Place, T]:
        entries = {each.place: each.read(reader) for each in value.entries()}
        return {place: entry for place, entry in entries.items() if entry is not None}

    return read


def in_line(fields: dict[str, Any], places: dict[str, Place], name: str) -> None:
    """Makes a field that was read with `listed` plain: its values in a row, their places under `name[0]` and so on."""
    if name in fields:
        places.update({f"{name}[{index}]": place for index, place in enumerate(fields[name])})
        fields[name] = tuple(fields[name].values())
