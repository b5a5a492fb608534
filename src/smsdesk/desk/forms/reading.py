"""What was typed into a form, as the file would have it. Whatever it is, nothing of it is lost: what cannot be a number
goes on as the text that it is, and the file's reader says so."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from smsdesk.desk.forms.fields import Field
from smsdesk.domain.hours import WEEKDAYS
from smsdesk.setup.hours import CLOSED

Typed: TypeAlias = Mapping[str, Sequence[str]]
"""What a browser sent: values by the names of the inputs."""

MOST_ROWS = 500
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_LEFT_OUT = object()


def read_form(fields: Sequence[Field], typed: Typed, prefix: str = "") -> dict[str, Any]:
    """The mapping that the fields were filled in with; keys that are to stay as they are, are not in it."""
    found = {field.name: _value(field, typed, prefix + field.name) for field in fields}
    return {name: value for name, value in found.items() if value is not _LEFT_OUT}


def first(typed: Typed, name: str) -> str:
    """What was typed there; nothing where the form has no such place."""
    values = typed.get(name) or ("",)
    return values[-1].replace("\r\n", "\n").strip()


def _value(field: Field, typed: Typed, name: str) -> Any:
    if field.own and first(typed, f"{name}:own") != "own":
        return _nothing(field)
    value = _READERS.get(field.widget, _text)(field, typed, name)
    if value in ("", [], {}, None) and not field.own:
        return value if field.required and value in ([], {}) else _nothing(field)
    return value


def _nothing(field: Field) -> Any:
    return {"null": None, "omit": _LEFT_OUT, "text": ""}[field.empty]


def _text(_: Field, typed: Typed, name: str) -> str:
    return first(typed, name)


def _number(_: Field, typed: Typed, name: str) -> Any:
    raw = first(typed, name)
    if _INTEGER.fullmatch(raw):
        return int(raw)
    return float(raw) if _DECIMAL.fullmatch(raw) else raw


def _switch(_: Field, typed: Typed, name: str) -> Any:
    raw = first(typed, name)
    return {"yes": True, "no": False}.get(raw, raw)


def _secret(_: Field, typed: Typed, name: str) -> Any:
    kind, place = first(typed, f"{name}:kind"), first(typed, name)
    return {kind if kind in ("env", "file") else "env": place} if place else None


def _lines(_: Field, typed: Typed, name: str) -> list[str]:
    return [line.strip() for line in first(typed, name).split("\n") if line.strip()]


def _ticks(_: Field, typed: Typed, name: str) -> list[str]:
    return [each for each in typed.get(name, ()) if each]


def _rows(field: Field, typed: Typed, name: str) -> list[Any]:
    """Those in which something stands. A row of one field without a name is that field's value itself."""
    found = []
    for number in _numbers(typed, name):
        row = read_form(field.fields, typed, f"{name}.{number}" if field.fields[0].name == "" else f"{name}.{number}.")
        given = {key: value for key, value in row.items() if value not in ("", None, [], {})}
        if given:
            found.append(given.get("", given))
    return found


def _pairs(_: Field, typed: Typed, name: str) -> dict[str, str]:
    each = ((first(typed, f"{name}.{number}.key"), first(typed, f"{name}.{number}.value")) for number in
            _numbers(typed, name))  # fmt: skip
    return {key: value for key, value in each if key or value}


def _numbers(typed: Typed, name: str) -> list[int]:
    start = f"{name}."
    found = {rest.partition(".")[0] for each in typed if each.startswith(start) for rest in [each[len(start) :]]}
    return sorted(int(each) for each in found if each.isdecimal() and len(each) < 6)[:MOST_ROWS]


def _group(field: Field, typed: Typed, name: str) -> dict[str, Any]:
    return read_form(field.fields, typed, f"{name}.")


def _hours(_: Field, typed: Typed, name: str) -> Any:
    kind = first(typed, f"{name}:kind")
    if kind != "week":
        return kind
    zone = first(typed, f"{name}.time_zone")
    week = {day: _spans(spans) for day in WEEKDAYS if (spans := first(typed, f"{name}.week.{day}"))}
    lines = [line.split(None, 1) for line in _lines(_, typed, f"{name}.holidays")]
    holidays = {line[0]: _spans(line[1] if len(line) > 1 else CLOSED) for line in lines}
    return {**({"time_zone": zone} if zone else {}), "week": week, **({"holidays": holidays} if holidays else {})}


def _spans(words: str) -> Any:
    spans = [span.strip() for span in words.split(",") if span.strip()]
    return spans[0] if len(spans) == 1 else spans


def _json(_: Field, typed: Typed, name: str) -> Any:
    raw = first(typed, name)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


_READERS = {
    "integer": _number, "decimal": _number, "switch": _switch, "secret": _secret, "lines": _lines, "ticks": _ticks,
    "rows": _rows, "pairs": _pairs, "group": _group, "hours": _hours, "json": _json,
}  # fmt: skip
