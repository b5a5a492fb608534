"""A document of a set-up file as a list of items: what each key may hold, and which keys there are."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smsdesk.domain.phone import NumberProblem, read_number
from smsdesk.domain.setup import State
from smsdesk.domain.tenant import TenantSettings
from smsdesk.setup.carriers import Configs, read_carrier
from smsdesk.setup.document import Document
from smsdesk.setup.faults import Place, WrongValue
from smsdesk.setup.limits import read_limit
from smsdesk.setup.queues import read_queues
from smsdesk.setup.secrets import reference
from smsdesk.setup.settings import READERS as SETTING_READERS
from smsdesk.setup.settings import url
from smsdesk.setup.values import Reader, Value, boolean, choice, integer, listed, mapping, nullable, text
from smsdesk.setup.wanted import Item, Wanted

SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")

_SECTIONS: dict[str, Reader[Any]] = dict.fromkeys(
    ("tenant", "settings", "carriers", "queues", "numbers", "limits", "agents"), lambda value: value
)


@dataclass(frozen=True, slots=True)
class Around:
    """What a document is read with: what stands in the database, the carriers there are, and the file's folder."""

    state: State
    configs: Configs
    folder: Path


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
        items.extend(sections["settings"].read(_settings) or ())
    carriers = around.state.of("carrier")
    items.extend(_each(sections, "carriers", lambda each: read_carrier(each, carriers, around.configs, around.folder)))
    if "queues" in sections:
        items.extend(sections["queues"].read(lambda value: list(read_queues(value))) or ())
    regions = _regions(around.state, items)
    items.extend(_each(sections, "numbers", lambda each: _number(each, regions)))
    items.extend(_each(sections, "limits", lambda each: read_limit(each, lambda number: own_number(number, regions))))
    items.extend(_each(sections, "agents", lambda each: _agent(each, around.folder)))
    return Wanted(around.state.subdomain, tuple(items), tuple(document.faults[before:]))


def _settings(value: Value) -> list[Item]:
    fields, places = mapping(value, SETTING_READERS)
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


def _number(value: Value, regions: frozenset[str]) -> Item | None:
    readers: dict[str, Reader[Any]] = {
        "number": lambda each: own_number(each, regions),
        "carrier": text(60),
        "fallbacks": listed(text(60)),
        "queue": nullable(text(400)),
        "label": text(60, empty=True),
        "campaign": nullable(text(60)),
        "brand": nullable(text(60)),
        "deleted": boolean,
    }
    fields, places = mapping(value, readers)
    _in_line(fields, places, "fallbacks")
    return _item(value, "number", fields, places)


def own_number(value: Value, regions: frozenset[str]) -> str:
    """A number of the tenant in E.164, or a short code of 3 to 8 digits."""
    raw = text(64)(value)
    number = read_number(raw, regions)
    if isinstance(number, str):
        return str(number)
    if _SHORT_CODE.fullmatch(raw):
        return raw
    if number is NumberProblem.REGION:
        allowed = ", ".join(sorted(regions))
        raise WrongValue(f'"{raw}" is not a number of {allowed}: add its country to settings.allowed_regions')
    raise WrongValue(f'"{raw}" is not a phone number: write it as "+1 628-555-0199", or a short code as 62855')


def _agent(value: Value, folder: Path) -> Item | None:
    readers: dict[str, Reader[Any]] = {
        "email": _email,
        "first_name": text(60, empty=True),
        "last_name": text(60, empty=True),
        "agent_number": nullable(integer(0, 2_147_483_647)),
        "avatar_url": nullable(url),
        "role": choice("agent", "supervisor", "administrator"),
        "queues": listed(text(400)),
        "password": nullable(reference(folder)),
        "disabled": boolean,
    }
    fields, places = mapping(value, readers)
    _in_line(fields, places, "queues")
    return _item(value, "agent", fields, places)


def _in_line(fields: dict[str, Any], places: dict[str, Place], name: str) -> None:
    """Makes a field that was read with `listed` plain: its values in a row, their places under `name[0]` and so on."""
    if name in fields:
        places.update({f"{name}[{index}]": place for index, place in enumerate(fields[name])})
        fields[name] = tuple(fields[name].values())


def _email(value: Value) -> str:
    address = text(254)(value)
    if not _EMAIL.fullmatch(address):
        raise WrongValue(f'"{address}" is not an e-mail address: write it as john.doe@foo.com')
    return address


def _item(value: Value, kind: Any, fields: dict[str, Any], places: dict[str, Any]) -> Item | None:
    key = "email" if kind == "agent" else kind
    if key not in fields:
        if key not in places:
            value.wrong(f"has no `{key}`: every {kind} needs one")
        return None
    deleted = bool(fields.pop("deleted", False))
    name = fields[key].lower() if kind == "agent" else fields.pop(key)
    if deleted and fields:
        value.wrong("is deleted, so its other keys have no meaning: remove them")
    return Item(kind, name, fields, value.place, places, deleted)
