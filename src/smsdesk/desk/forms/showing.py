"""A form as a page shows it: each field with what stands in it, what it would be without, and what is wrong with it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smsdesk.desk.forms.fields import BLANK_ROWS, Field
from smsdesk.domain.hours import WEEKDAYS
from smsdesk.domain.setup import ALWAYS
from smsdesk.setup.hours import CLOSED

_INDEX = re.compile(r"\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a setting is where it has no value of its own, and where that comes from; nowhere is the default."""

    value: Any
    source: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of a page."""

    field: Field
    name: str
    """Of its input."""
    value: Any = ""
    """As its input has it: text, or a list of rows, each a list of what is shown in it."""
    kind: str = ""
    """Of hours and secrets: which of their kinds it is; of fields that may have no value of their own: if they have."""
    parts: "Sequence[Shown]" = ()
    inherited: str | None = None
    source: str = ""
    faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Filling:
    """What a form is filled with."""

    document: Mapping[str, Any]
    faults: Sequence[tuple[str, str]] = ()
    """The path of each mistake as the names of inputs are made, and what it says."""
    inherited: Mapping[str, Inherited] = field(default_factory=dict)
    """By the names of inputs."""
    blank_rows: int = BLANK_ROWS


def as_name(path: str) -> str:
    """The path of a mistake, such as `groups[1].seconds`, as inputs are named: `groups.1.seconds`."""
    return _INDEX.sub(r".\1", path)


def show_form(fields: Sequence[Field], filling: Filling) -> tuple[list[Shown], list[str]]:
    """The fields, and the mistakes that belong to none of them."""
    shown = [_shown(each, each.name, filling.document.get(each.name), filling) for each in fields]
    rest = [says for path, says in filling.faults if not any(_is_at(path, each.name) for each in fields)]
    return shown, rest


def mistakes_in(shown: Sequence[Shown]) -> list[tuple[str, str, str]]:
    """All mistakes of a form from its top to its end: the input, its label, what is wrong."""
    found: list[tuple[str, str, str]] = []
    for each in shown:
        found += [(each.name, each.field.label, says) for says in each.faults]
        if each.field.widget in ("rows", "pairs"):
            for cells, faults in each.value:
                found += [(cells[0].name, each.field.label, says) for says in faults] + mistakes_in(cells)
        elif each.field.widget == "group":
            found += mistakes_in(each.parts)
    return found


def _is_at(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")


def _shown(each: Field, name: str, value: Any, filling: Filling) -> Shown:
    inherited = filling.inherited.get(name)
    about: dict[str, Any] = {
        "inherited": None if inherited is None else _in_words(inherited.value),
        "source": inherited.source if inherited else "",
        "faults": _faults(each, name, filling),
    }
    kind = "own" if each.own and value is not None else ""
    if each.widget == "group":
        inner = value if isinstance(value, Mapping) else {}
        parts = [_shown(part, f"{name}.{part.name}", inner.get(part.name), filling) for part in each.fields]
        return Shown(each, name, kind=kind, parts=parts, **about)
    if each.widget in ("rows", "pairs"):
        return Shown(each, name, _table(each, name, value, filling), kind, **about)
    if each.widget == "hours":
        return _hours(each, name, value, about)
    if each.widget == "secret":
        given = next(iter(value.items()), ("", "")) if isinstance(value, Mapping) else ("", "")
        return Shown(each, name, str(given[1]), given[0], **about)
    if each.widget == "ticks":
        return Shown(each, name, value if isinstance(value, Sequence) else [], kind, **about)
    return Shown(each, name, _text(each, value), kind, **about)


def _faults(each: Field, name: str, filling: Filling) -> list[str]:
    """The mistakes of a field: of a group and of rows those that none of their own parts has."""
    found = []
    for path, says in filling.faults:
        rest = path[len(name) + 1 :]
        if path == name:
            found.append(says)
        elif _is_at(path, name) and each.widget != "rows" and not any(_is_at(rest, part) for part in _parts(each)):
            found.append(f"{rest}: {says}")
    return found


def _parts(each: Field) -> list[str]:
    return [part.name for part in each.fields] if each.widget == "group" else []


def _table(each: Field, name: str, value: Any, filling: Filling) -> list[tuple[list[Shown], list[str]]]:
    """The rows, each with its mistakes; some empty ones at the end."""
    if each.widget == "pairs":
        given = value.items() if isinstance(value, Mapping) else ()
        rows: list[Any] = [{"key": key, "value": text} for key, text in given]
        columns: Sequence[Field] = (Field("key", ""), Field("value", ""))
    else:
        rows, columns = (list(value) if isinstance(value, list | tuple) else []), each.fields
    rows += [{}] * filling.blank_rows
    return [(_row(columns, f"{name}.{number}", row, filling), _row_faults(columns, f"{name}.{number}", filling))
            for number, row in enumerate(rows)]  # fmt: skip


def _row(columns: Sequence[Field], start: str, row: Any, filling: Filling) -> list[Shown]:
    inner = row if isinstance(row, Mapping) else {columns[0].name: row}
    return [
        _shown(each, f"{start}.{each.name}" if each.name else start, inner.get(each.name), filling) for each in columns
    ]


def _row_faults(columns: Sequence[Field], start: str, filling: Filling) -> list[str]:
    names = [f"{start}.{each.name}" if each.name else start for each in columns]
    return [says for path, says in filling.faults if _is_at(path, start) and not any(_is_at(path, n) for n in names)]


def _hours(each: Field, name: str, value: Any, about: dict[str, Any]) -> Shown:
    if value is None or value == ALWAYS:
        return Shown(each, name, kind=value or "", parts=_days(name, {}), **about)
    given = value if isinstance(value, Mapping) else {}
    return Shown(each, name, kind="week" if given else str(value), parts=_days(name, given), **about)


def _days(name: str, given: Mapping[str, Any]) -> list[Shown]:
    week: dict[str, str] = {}
    for key, spans in given.get("week", {}).items():
        begin, _, end = key.partition("-")
        known = begin in WEEKDAYS and (end or begin) in WEEKDAYS
        days = WEEKDAYS[WEEKDAYS.index(begin) : WEEKDAYS.index(end or begin) + 1] if known else [key]
        week |= dict.fromkeys(list(days), _spans(spans))
    holidays = "\n".join(f"{day} {_spans(spans)}" for day, spans in given.get("holidays", {}).items())
    zone = Shown(Field("time_zone", "Time zone"), f"{name}.time_zone", given.get("time_zone", ""))
    days = [Shown(Field(day, day), f"{name}.week.{day}", week.get(day, "")) for day in WEEKDAYS]
    return [zone, *days, Shown(Field("holidays", "Holidays", "area"), f"{name}.holidays", holidays)]


def _spans(spans: Any) -> str:
    return spans if isinstance(spans, str) else ", ".join(map(str, spans)) or CLOSED


def _text(each: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if each.widget == "json" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, indent=2)
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return str(value)


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(each.get("name", each)) if isinstance(each, Mapping) else str(each) for each in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)
