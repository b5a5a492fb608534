"""What the lists of the set-up show: a line for each thing, with the few facts that tell one from another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from smsdesk.desk.forms.fields import N_
from smsdesk.desk.forms.kinds import Listed
from smsdesk.desk.forms.things import ROLES
from smsdesk.domain.setup import Fields, State
from smsdesk.setup.queues import children_of, parent_of

Say = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Line:
    """A thing in a list."""

    name: str
    shown: str
    cells: Sequence[str]
    depth: int = 0
    off: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A list."""

    heads: Sequence[str]
    lines: Sequence[Line]


def columns_of(state: State, listed: Listed, say: Say) -> Table:
    """The list of a kind."""
    heads, cells = _COLUMNS[listed.kind]
    things = state.of(listed.kind)
    names = _in_order(state) if listed.kind == "queue" else sorted(things)
    lines = [_line(state, listed, name, [str(each) for each in cells(state, name, things[name], say)])
             for name in names]  # fmt: skip
    return Table([say(head) for head in heads], lines)


def _line(state: State, listed: Listed, name: str, cells: list[str]) -> Line:
    if listed.kind == "queue":
        return Line(name, name.rpartition("/")[2], cells, name.count("/"))
    return Line(name, name, cells, off=bool(state.of(listed.kind)[name].get("disabled")))


def _in_order(state: State, parent: str = "") -> list[str]:
    """The queues as a menu has them, each before those below it."""
    queues = state.of("queue")
    beside = sorted((path for path in queues if parent_of(path) == parent), key=lambda path: queues[path]["position"])
    return [each for path in beside for each in [path, *_in_order(state, path)]]


def _carrier(state: State, name: str, each: Fields, say: Say) -> Sequence[Any]:
    used = sum(name in (number["carrier"], *number["fallbacks"]) for number in state.of("number").values())
    return each["type"], each.get("host") or each.get("base_url") or "", used, each.get("rates") or say("none")


def _queue(state: State, name: str, each: Fields, say: Say) -> Sequence[Any]:
    agents = sum(name in agent["queues"] for agent in state.of("agent").values() if not agent["disabled"])
    below = children_of(name, state.of("queue"))
    numbers = [number for number, of in state.of("number").items() if of["queue"] == name]
    return (say("menu") if below else agents), each.get("keyword") or "", ", ".join(numbers)


def _number(_: State, __: str, each: Fields, say: Say) -> Sequence[Any]:
    goal = each["queue"] or each["agent"] or say("nowhere")
    return each["label"], each["carrier"], ", ".join(each["fallbacks"]), goal


def _limit(_: State, __: str, each: Fields, ___: Say) -> Sequence[Any]:
    return (each["segments"],)


def _agent(_: State, __: str, each: Fields, say: Say) -> Sequence[Any]:
    name = f"{each['first_name']} {each['last_name']}".strip()
    return name, say(ROLES[each["role"]]), ", ".join(each["queues"]), say("disabled") if each["disabled"] else ""


def _shortcut(_: State, __: str, each: Fields, ___: Say) -> Sequence[Any]:
    return each["category"], each["text"]


_COLUMNS: dict[str, tuple[Sequence[str], Callable[[State, str, Fields, Say], Sequence[Any]]]] = {
    "carrier": ((N_("Type"), N_("Address"), N_("Numbers"), N_("Prices")), _carrier),
    "queue": ((N_("Agents"), N_("Keyword"), N_("Numbers")), _queue),
    "number": ((N_("Label"), N_("Carrier"), N_("While that is down"), N_("Leads to")), _number),
    "limit": ((N_("Segments"),), _limit),
    "agent": ((N_("Name"), N_("Role"), N_("Queues"), N_("State")), _agent),
    "shortcut": ((N_("Category"), N_("Text")), _shortcut),
}
