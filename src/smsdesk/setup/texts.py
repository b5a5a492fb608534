"""The texts that a queue sends by itself: which there are, how long they may be, and what may be filled in."""

import re
from collections.abc import Collection
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


def template_with(variables: Collection[str]) -> Reader[str]:
    """Reads a text in which these variables may stand, such as `@{COMPANY_NAME}: we are closed.`; it may be empty."""

    def read(value: Value) -> str:
        words = text(LONGEST, empty=True, lines=True)(value)
        for name in _VARIABLE.findall(words):
            if name not in variables:
                raise WrongValue(f"there is no variable @{{{name}}}.{meant(name, variables)}")
        parts = len(segment(words).parts)
        if parts > MOST_PARTS:
            raise WrongValue(f"has {parts} parts on the air: at most {MOST_PARTS}. Shorten it, or leave emoji out")
        return words

    return read


template = template_with(VARIABLES)
_READERS: dict[str, Reader[Any]] = {name: nullable(template) for name in TEXTS}


def texts(value: Value) -> dict[str, str | None]:
    """Reads the texts of a queue by their names; `null` takes one back to what the queue above has."""
    return mapping(value, _READERS)[0]
