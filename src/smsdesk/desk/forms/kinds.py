"""The kinds of things by the words of their addresses, and how what was typed becomes a document of the file's form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smsdesk.desk.forms import things
from smsdesk.desk.forms.fields import N_
from smsdesk.desk.forms.things import Form
from smsdesk.domain.setup import Kind, State

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """A kind of thing that there may be many of."""

    kind: Kind
    section: str
    """Its key in a file, and its place in addresses."""
    title: str
    add: str
    about: str
    key: str
    """The key that names one."""
    make: Callable[[State, str | None, str], Form]


KINDS: Mapping[str, Listed] = {each.section: each for each in (
    Listed("carrier", "carriers", N_("Carriers"), N_("Add a carrier"),
           N_("The lines that texts leave and come by."), "name", things.carrier_form),
    Listed("queue", "queues", N_("Queues"), N_("Add a queue"),
           N_("Where consumers wait, and the menu that leads them there."), "name", things.queue_form),
    Listed("number", "numbers", N_("Numbers"), N_("Add a number"),
           N_("The numbers that you text from, and where replies to them go."), "number", things.number_form),
    Listed("limit", "limits", N_("Limits"), N_("Add a limit"),
           N_("At most so many segments in so much time."), "scope", things.limit_form),
    Listed("agent", "agents", N_("Agents"), N_("Add an agent"),
           N_("The people at the desk, what they may do, and where they work."), "email", things.agent_form),
    Listed("shortcut", "shortcuts", N_("Shortcuts"), N_("Add a shortcut"),
           N_("Ready-made answers that agents put into their texts."), "name", things.shortcut_form),
)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """A document of the file's form, and where in it the thing stands, as inputs are named."""

    document: Document
    prefix: str


def place(subdomain: str, listed: Listed, values: Mapping[str, Any], name: str | None) -> Placed:
    """A file that holds this one thing. `name` is that of a thing that is there, whatever was typed."""
    own = dict(values)
    if listed.kind == "queue":
        return _queue(subdomain, own, name)
    if listed.kind == "limit":
        own = _limit(own)
    elif name is not None:
        own[listed.key] = name
    return Placed({"tenant": subdomain, listed.section: [own]}, f"{listed.section}.0.")


def place_removal(subdomain: str, listed: Listed, entry: Mapping[str, Any], goal: str) -> Placed:
    """A file that takes a thing away; the open chats of a queue go to `goal`."""
    own: Document = {**entry, "deleted": True}
    if listed.kind != "queue":
        return Placed({"tenant": subdomain, listed.section: [own]}, f"{listed.section}.0.")
    path = own.pop("name")
    inner = {"deleted": True, **({"move_chats_to": goal} if goal else {})}
    return _nested(subdomain, path, inner)


def place_order(subdomain: str, parent: str, names: Sequence[str]) -> Document:
    """A file that names all queues beside each other, which sets their order."""
    queues: list[Document] = [{"name": name} for name in names]
    for above in reversed(parent.split("/") if parent else []):
        queues = [{"name": above, "children": queues}]
    return {"tenant": subdomain, "queues": queues}


def _queue(subdomain: str, own: Document, name: str | None) -> Placed:
    parent = own.pop("parent", "") or ""
    typed = own.pop("name", "")
    if name is None and "/" in typed:
        # Its reader says what is wrong with such a name; a path would be cut at it.
        return _nested(subdomain, f"{parent}/-" if parent else "-", {**own, "name": typed})
    return _nested(subdomain, name or (f"{parent}/{typed}" if parent else typed), own)


def _nested(subdomain: str, path: str, own: Mapping[str, Any]) -> Placed:
    *above, last = path.split("/")
    queue: Document = {"name": last, **own}
    for each in reversed(above):
        queue = {"name": each, "children": [queue]}
    return Placed({"tenant": subdomain, "queues": [queue]}, "queues.0." + "children.0." * len(above))


def _limit(own: Document) -> Document:
    scope, of = own.pop("scope", ""), own.pop("of", "")
    given = True if scope == "tenant" and not of else of
    return {**({scope: given} if scope else {}), **own}
