"""The difference between what stands and what a file wants, and its preview for people."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from smsdesk.domain.price import Rates
from smsdesk.domain.setup import BY_KEY, KINDS, NEW, Change, FieldChange, State
from smsdesk.setup.hours import hours_in_words
from smsdesk.setup.wanted import Item, Wanted

SIGNS = {"create": "+", "update": "~", "delete": "-"}
HIDDEN = "password"
"""The field of an agent that a preview never shows. A carrier's password is a reference and no secret."""


class SetupMoved(Exception):
    """The set-up was changed by somebody else since the plan was made: plan again."""


@dataclass(frozen=True, slots=True)
class TenantPlan:
    """What applying one document would do."""

    current: State
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    """What will not work yet on this machine, although it can be applied."""
    obstacles: tuple[str, ...] = ()
    """What must end first: with one of them the plan cannot be applied now."""

    @property
    def is_empty(self) -> bool:
        return not self.changes and self.current.tenant_id is not None


def plan(current: State, wanted: Wanted) -> list[Change]:
    """The changes that make `current` what the file names, in an order in which they can be made.

    A field that the file does not name never changes; a thing that it does not name never goes. Applying the result
    and planning again gives nothing. Pure; `wanted` has been through `references.settle`.
    """
    changes = [change for item in wanted.items if not item.deleted for change in _made(current, item)]
    changes.sort(key=lambda change: KINDS.index(change.kind))
    gone = [
        Change("delete", item.kind, item.name, tuple(FieldChange(name, None, new) for name, new in item.fields.items()))
        for item in wanted.items
        if item.deleted and item.key in current.things
    ]
    # What refers goes before what it refers to, and the leaves of a branch before the branch.
    return changes + sorted(gone, key=lambda change: (-KINDS.index(change.kind), -change.name.count("/")))


def _made(current: State, item: Item) -> Iterator[Change]:
    before = current.things.get(item.key)
    known = NEW[item.kind] if before is None else before
    fields = tuple(
        FieldChange(name, known.get(name), new) for name, new in item.fields.items() if known.get(name) != new
    )
    if before is None and (fields or item.kind != "settings"):
        yield Change("create", item.kind, item.name, fields)
    elif fields:
        yield Change("update", item.kind, item.name, fields)


def render(planned: TenantPlan) -> list[str]:
    """The plan for people, a line each: `+` is made, `~` is changed, `-` goes. Passwords are never shown."""
    current, changes = planned.current, planned.changes
    if planned.is_empty:
        return [f"tenant {current.subdomain}: nothing to change"]
    lines = [f"tenant {current.subdomain}{' (new)' if current.tenant_id is None else ''}"]
    for change in changes:
        lines.append(f"  {SIGNS[change.action]} {change.kind} {change.name}".rstrip())
        lines += [f"      {each.name}: {_shown(change, each)}" for field in change.fields for each in _by_key(field)]
    counts = [sum(change.action == action for change in changes) for action in SIGNS]
    lines.append("  {} to add, {} to change, {} to remove".format(*counts))
    return lines


def as_json(planned: TenantPlan) -> dict[str, Any]:
    """The plan for programs, with the same secrets left out."""
    return {
        "tenant": planned.current.subdomain,
        "new": planned.current.tenant_id is None,
        "warnings": planned.warnings,
        "obstacles": planned.obstacles,
        "changes": [
            {
                "action": change.action,
                "kind": change.kind,
                "name": change.name,
                "fields": {
                    field.name: {
                        "old": _told(change, field.name, field.old),
                        "new": _told(change, field.name, field.new),
                    }
                    for field in change.fields
                },
            }
            for change in planned.changes
        ],
    }


def _by_key(field: FieldChange) -> Iterator[FieldChange]:
    """A change of a mapping as changes of its keys, such as `texts.greeting`, in the order of the file."""
    if field.name.rpartition(".")[2] not in BY_KEY:
        yield field
        return
    old, new = field.old or {}, field.new or {}
    for name in dict.fromkeys([*new, *old]):
        if old.get(name) != new.get(name):
            yield from _by_key(FieldChange(f"{field.name}.{name}", old.get(name), new.get(name)))


def _told(change: Change, name: str, value: Any) -> Any:
    """A value as a preview shows it: no secret, a price list in a few words, and an agent's queues as in the file."""
    if change.kind == "agent" and value is not None and name == HIDDEN:
        return "(hidden)"
    if change.kind == "agent" and value is not None and name == "queues":
        return [path if group == 1 else {"queue": path, "group": group} for path, group in value.items()]
    return str(value) if isinstance(value, Rates) else value


def _shown(change: Change, field: FieldChange) -> str:
    old, new = (_words(change, field.name, each) for each in (field.old, field.new))
    if isinstance(field.old, Rates) and isinstance(field.new, Rates):
        new += f" ({_compared(field.old.prices, field.new.prices)})"
    return f"{old} -> {new}" if change.action == "update" else new


def _words(change: Change, name: str, value: Any) -> str:
    if name.rpartition(".")[2] == "hours" and value is not None:
        return hours_in_words(value)
    return str(value) if isinstance(value, Rates) else json.dumps(_told(change, name, value), ensure_ascii=False)


def _compared(old: Mapping[str, Decimal], new: Mapping[str, Decimal]) -> str:
    changed = sum(prefix in old and old[prefix] != price for prefix, price in new.items())
    return f"{len(new.keys() - old.keys())} new, {changed} changed, {len(old.keys() - new.keys())} gone"
