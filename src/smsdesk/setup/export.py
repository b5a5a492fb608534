"""A tenant's set-up as a set-up file again: applying it to what it was made of changes nothing.

Secrets are in it as their references, passwords not at all, a price list as its lines.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from smsdesk.domain.hours import WEEKDAYS
from smsdesk.domain.price import Rates, written
from smsdesk.domain.setup import NEW, PERIODS, Fields, State, read_limit_name
from smsdesk.setup.agents import groups_of
from smsdesk.setup.hours import CLOSED
from smsdesk.setup.queues import parent_of
from smsdesk.setup.rates import HEADER
from smsdesk.setup.writing import as_yaml


def export(state: State, *, rates: bool = True) -> dict[str, Any]:
    """The set-up as one document, in the order of the page of the file; without price lists unless `rates`."""
    sections: dict[str, Any] = {
        "tenant": state.subdomain,
        "settings": settings_of(state.things.get(("settings", ""), {})),
        "carriers": [carrier_of(name, each, rates=rates) for name, each in sorted(state.of("carrier").items())],
        "queues": _branch(state.of("queue"), ""),
        "numbers": [number_of(name, each) for name, each in sorted(state.of("number").items())],
        "limits": [limit_of(name, each) for name, each in sorted(state.of("limit").items())],
        "agents": [agent_of(state, each) for _, each in sorted(state.of("agent").items())],
        "shortcuts": [shortcut_of(name, each) for name, each in sorted(state.of("shortcut").items())],
    }
    return {name: section for name, section in sections.items() if section}


def export_file(state: State) -> str:
    """The set-up as the text of a file."""
    return as_yaml(export(state))


def settings_of(stored: Fields) -> dict[str, Any]:
    """The settings of the tenant as a file has them."""
    own = _given(stored)
    if "queue_defaults" in own:
        own["queue_defaults"] = queue_settings_of(own["queue_defaults"])
    return own


def carrier_of(name: str, stored: Fields, *, rates: bool = True) -> dict[str, Any]:
    """A carrier as a file has it."""
    own = _given({key: each for key, each in stored.items() if key != "rates"})
    prices = {"rates": {"csv": _price_list(stored["rates"])}} if rates and stored.get("rates") else {}
    return {"name": name, **own, **prices}


def queue_settings_of(stored: Fields) -> dict[str, Any]:
    """The settings of a queue as a file has them."""
    own = _given(stored)
    if isinstance(own.get("hours"), Mapping):
        own["hours"] = _hours(own["hours"])
    return own


def number_of(name: str, stored: Fields) -> dict[str, Any]:
    """A number as a file has it."""
    return {"number": name, **_unlike_new(stored, NEW["number"])}


def limit_of(name: str, stored: Fields) -> dict[str, Any]:
    """A limit as a file has it."""
    scope, of, seconds = read_limit_name(name)
    word = next((word for word, length in PERIODS.items() if length == seconds), seconds)
    return {scope: True if scope == "tenant" else of, "segments": stored["segments"], "per": word}


def agent_of(state: State, stored: Fields) -> dict[str, Any]:
    """An agent as a file has him, without his password."""
    own = _unlike_new({name: each for name, each in stored.items() if name != "password"}, NEW["agent"])
    if "queues" in own:
        own["queues"] = [_place(state, path, group) for path, group in sorted(own["queues"].items())]
    return own


def _place(state: State, path: str, group: int) -> Any:
    return path if group == 1 else {"queue": path, "group": groups_of(state, path)[group - 1]["name"]}


def shortcut_of(name: str, stored: Fields) -> dict[str, Any]:
    """A shortcut as a file has it."""
    return {"name": name, **_unlike_new(stored, NEW["shortcut"])}


def _branch(queues: Mapping[str, Fields], parent: str) -> list[dict[str, Any]]:
    paths = sorted((path for path in queues if parent_of(path) == parent), key=lambda path: queues[path]["position"])
    return [_queue(queues, path) for path in paths]


def _queue(queues: Mapping[str, Fields], path: str) -> dict[str, Any]:
    fields, children = queues[path], _branch(queues, path)
    own = queue_settings_of(_unlike_new({name: each for name, each in fields.items() if name != "position"},
                                        NEW["queue"]))  # fmt: skip
    return {"name": path.rpartition("/")[2], **own, **({"children": children} if children else {})}


def _hours(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Days beside each other with the same hours are named together, as `mon-fri`."""
    days = groupby(WEEKDAYS, key=lambda day: stored["week"].get(day, []))
    week = {_days([*names]): _spans(spans) for spans, names in days if spans}
    holidays = {day: _spans(spans) for day, spans in stored.get("holidays", {}).items()}
    zone = {"time_zone": stored["time_zone"]} if stored.get("time_zone") else {}
    return {**zone, "week": week, **({"holidays": holidays} if "holidays" in stored else {})}


def _days(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"


def _spans(spans: Iterable[Sequence[str]]) -> str | list[str]:
    words = ["-".join(span) for span in spans]
    return words[0] if len(words) == 1 else words or CLOSED


def _price_list(rates: Rates) -> str:
    lines = io.StringIO()
    rows = csv.writer(lines, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows((prefix, written(price), rates.currency) for prefix, price in sorted(rates.prices.items()))
    return lines.getvalue()


def _given(stored: Fields) -> dict[str, Any]:
    return {name: _plain(each) for name, each in stored.items() if each is not None}


def _unlike_new(stored: Fields, new: Fields) -> dict[str, Any]:
    return _given({name: each for name, each in stored.items() if name not in new or each != new[name]})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
