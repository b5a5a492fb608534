"""A document of a set-up file as a list of items: what each key may hold, and which keys there are."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smsdesk.domain.setup import State
from smsdesk.domain.tenant import TenantSettings
from smsdesk.setup.agents import read_agent
from smsdesk.setup.carriers import Configs, read_carrier
from smsdesk.setup.crm import CrmConfigs, read_crm
from smsdesk.setup.document import Document
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.limits import read_limit
from smsdesk.setup.numbers import own_number, read_numbered
from smsdesk.setup.queues import read_queues
from smsdesk.setup.settings import READERS as SETTING_READERS
from smsdesk.setup.shortcuts import read_shortcut
from smsdesk.setup.values import Reader, Value, mapping, text
from smsdesk.setup.wanted import Item, Wanted

SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

_SECTIONS: dict[str, Reader[Any]] = dict.fromkeys(
    ("tenant", "settings", "carriers", "queues", "numbers", "limits", "agents", "shortcuts"), lambda value: value
)


@dataclass(frozen=True, slots=True)
class Around:
    """What a document is read with: what stands in the database, the carriers and CRMs there are, and the file's
    folder."""

    state: State
    configs: Configs
    folder: Path
    crms: CrmConfigs = field(default_factory=dict)


def subdomain(value: Value) -> str:
    """The name of a tenant, as it stands in the Basic credentials and in host names (RFC 1035 labels)."""
    name = text(63)(value)
    if not SUBDOMAIN.fullmatch(name):
        raise WrongValue(f'"{name}" cannot be a subdomain: use a-z, 0-9 and hyphens inside, such as acme')
    return name


def tenant_of(document: Document) -> str | None:
    """The subdomain that a document is for; None after recording why it cannot be told."""
    given = document.root.read(Value.fields)
    if given is None:
        return None
    if "tenant" not in given:
        document.root.wrong("there is no `tenant`: write `tenant: SUBDOMAIN` at the top of each document")
        return None
    return given["tenant"].read(subdomain)


def read_items(document: Document, around: Around) -> Wanted:
    """Reads all that a document names. Mistakes are recorded in the document's findings, and the rest is read on."""
    before = len(document.faults)
    sections = document.root.read(lambda root: mapping(root, _SECTIONS)[0]) or {}
    items: list[Item] = []
    if "settings" in sections:
        items.extend(sections["settings"].read(lambda value: _settings(value, around)) or ())
    carriers = around.state.of("carrier")
    items.extend(_each(sections, "carriers", lambda each: read_carrier(each, carriers, around.configs, around.folder)))
    if "queues" in sections:
        items.extend(sections["queues"].read(lambda value: list(read_queues(value))) or ())
    regions, ours = _regions(around.state, items), around.state.of("number")
    items.extend(_each(sections, "numbers", lambda each: read_numbered(each, regions, ours)))
    items.extend(
        _each(sections, "limits", lambda each: read_limit(each, lambda number: own_number(number, regions, ours)))
    )
    items.extend(_each(sections, "agents", lambda each: read_agent(each, around.folder)))
    shortcuts = around.state.of("shortcut")
    items.extend(_each(sections, "shortcuts", lambda each: read_shortcut(each, shortcuts)))
    return Wanted(around.state.subdomain, tuple(items), tuple(document.faults[before:]))


def _settings(value: Value, around: Around) -> list[Item]:
    def crm(each: Value) -> Any:
        before = around.state.things.get(("settings", ""), {}).get("crm")
        item = read_crm(each, before, around.crms, around.folder)
        return item and item.fields["crm"]

    fields, places = mapping(value, {**SETTING_READERS, "crm": crm})
    return [Item("settings", "", fields, value.place, places)] if fields else []


def _regions(state: State, items: Iterable[Item]) -> frozenset[str]:
    """The countries whose numbers the tenant may have, once the file is applied."""
    fields: Mapping[str, Any] = state.things.get(("settings", ""), {})
    for item in items:
        if item.kind == "settings":
            fields = {**fields, **item.fields}
    return frozenset(fields.get("allowed_regions") or TenantSettings().allowed_regions)


def _each(sections: Mapping[str, Value], section: str, read: Callable[[Value], Item | None]) -> list[Item]:
    """The items of a list; one that is named twice is recorded, and the first one counts."""
    items: dict[str, Item] = {}
    for value in (sections[section].read(Value.entries) or ()) if section in sections else ():
        item = value.read(read)
        if item is not None and item.name in items:
            first = items[item.name].place.line
            value.wrong(f'{item.kind} "{item.name}" stands in line {first} already: keep one of them')
        elif item is not None:
            items[item.name] = item
    return list(items.values())
