"""The texts that a queue sends by itself: which there are, how long they may be, and what may be filled in."""

import re
from typing import Any

from smsdesk.domain.queue_settings import TEXTS
from smsdesk.domain.segments import segment
from smsdesk.domain.send import MOST_PARTS
from smsdesk.domain.wordings import VARIABLES
from smsdesk.setup.faults import WrongValue, meant
from smsdesk.setup.values import Reader, Value, mapping, nullable, text

LONGEST = 1530
"""Characters: what MOST_PARTS parts of GSM 03.38 hold."""

_VARIABLE = re.compile(r"@\{([^{}]*)\}")


def template(value: Value) -> str:
    """A text with variables, such as `@{COMPANY_NAME}: we are closed.`; an empty one is not sent."""
    words = text(LONGEST, empty=True, lines=True)(value)
    for name in _VARIABLE.findall(words):
        if name not in VARIABLES:
            raise WrongValue(f"there is no variable @{{{name}}}.{meant(name, VARIABLES)}")
    parts = len(segment(words).parts)
    if parts > MOST_PARTS:
        raise WrongValue(f"has {parts} parts on the air: at most {MOST_PARTS}. Shorten it, or leave emoji out")
    return words


_READERS: dict[str, Reader[Any]] = {name: nullable(template) for name in TEXTS}


def texts(value: Value) -> dict[str, str | None]:
    """Reads the texts of a queue by their names; `null` takes one back to what the queue above has."""
    return mapping(value, _READERS)[0]
