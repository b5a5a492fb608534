"""The shortcuts of a file: ready-made answers for agents."""

import re
from collections.abc import Mapping
from typing import Any

from smsdesk.domain.setup import Fields
from smsdesk.domain.shortcut import VARIABLES
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.texts import template_with
from smsdesk.setup.values import Reader, Value, boolean, mapping, text
from smsdesk.setup.wanted import Item, named_item

_NAME = re.compile(r"[^\s/#]+")


def read_shortcut(value: Value, before: Mapping[str, Fields]) -> Item | None:
    """Reads one entry of `shortcuts`; `before` are those that stand there. A new one needs its text."""
    fields, places = mapping(value, READERS)
    item = named_item(value, "shortcut", fields, places)
    if item and not item.deleted and item.name not in before and "text" not in places:
        value.wrong(f'has no `text`: write what "{item.name}" stands for')
    return item


def _name(value: Value) -> str:
    """One word: agents type it after `/`, in whatever case."""
    name = text(40)(value).lower()
    if not _NAME.fullmatch(name):
        raise WrongValue(
            f'"{name}" cannot be typed after `/`: write one word without `/` and `#`, such as opening-hours'
        )
    return name


_body = template_with(VARIABLES)


def _text(value: Value) -> str:
    words = _body(value)
    if not words:
        raise WrongValue("is empty: write something, or take the shortcut away with deleted: true")
    return words


READERS: dict[str, Reader[Any]] = {
    "name": _name,
    "category": text(40, empty=True),
    "text": _text,
    "deleted": boolean,
}
