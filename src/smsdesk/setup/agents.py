"""The agents of a file: who they are, what they can, and in which queues they work."""

import re
from pathlib import Path
from typing import Any

from smsdesk.domain.setup import State
from smsdesk.setup.faults import Fault, WrongValue, meant
from smsdesk.setup.lists import distinct, in_line, listed
from smsdesk.setup.queue_settings import effective_of
from smsdesk.setup.queues import find_leaf
from smsdesk.setup.secrets import reference
from smsdesk.setup.settings import url
from smsdesk.setup.values import Reader, Value, boolean, choice, integer, mapping, nullable, text
from smsdesk.setup.wanted import Item, named_item

MOST_CHATS = 100

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def read_agent(value: Value, folder: Path) -> Item | None:
    """Reads one entry of `agents`. Its queues are as the file names them until `queues_of` finds them."""
    readers: dict[str, Reader[Any]] = {
        "email": _email,
        "first_name": text(60, empty=True),
        "last_name": text(60, empty=True),
        "agent_number": nullable(integer(0, 2_147_483_647)),
        "avatar_url": nullable(url),
        "role": choice("agent", "supervisor", "administrator"),
        "queues": listed(_membership),
        "skills": lambda each: tuple(sorted(distinct(text(60))(each))),
        "max_chats": nullable(integer(1, MOST_CHATS)),
        "password": nullable(reference(folder)),
        "disabled": boolean,
    }
    fields, places = mapping(value, readers)
    in_line(fields, places, "queues")
    return named_item(value, "agent", fields, places)


def _email(value: Value) -> str:
    address = text(254)(value)
    if not _EMAIL.fullmatch(address):
        raise WrongValue(f'"{address}" is not an e-mail address: write it as john.doe@foo.com')
    return address


def _membership(value: Value) -> tuple[str, str | None] | None:
    """A queue that an agent works in, and the name of the group of its agents that he is in, where it has groups."""
    if not value.is_mapping:
        return text(400)(value), None
    fields, places = mapping(value, {"queue": text(400), "group": text(60)})
    if "queue" not in places:
        raise WrongValue("has no `queue`: write it as {queue: Billing, group: Seniors}")
    return (fields["queue"], fields.get("group")) if "queue" in fields else None


def queues_of(item: Item, after: State, faults: list[Fault]) -> dict[str, int]:
    """The paths of the queues that an agent is given, each with the number of his group; mistakes are added."""
    queues = after.of("queue")
    found: dict[str, int] = {}
    for index, (name, group) in enumerate(item.fields["queues"]):
        try:
            path = find_leaf(name, queues, "an agent works in leaves")
            number = _group_number(after, path, group)
            if found.setdefault(path, number) != number:
                raise WrongValue(f'"{path}" stands here twice: an agent is in one of its groups')
        except WrongValue as wrong:
            faults.append(Fault(item.where(f"queues[{index}]"), str(wrong)))
    return dict(sorted(found.items()))


def _group_number(after: State, path: str, group: str | None) -> int:
    if group is None:
        return 1
    names = [each.get("name", "") for each in groups_of(after, path)]
    if group not in names:
        raise WrongValue(f'"{path}" has no group "{group}".{meant(group, names)}')
    return names.index(group) + 1


def groups_of(state: State, path: str) -> list[dict[str, Any]]:
    """The groups of a queue's agents, its own or those of above."""
    groups: list[dict[str, Any]] = effective_of(state, path).get("groups", [])
    return groups
