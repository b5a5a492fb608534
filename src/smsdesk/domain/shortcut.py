"""Shortcuts: ready-made answers that agents put into their texts, with what is filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

UNKNOWN = "Customer"
"""What stands for a consumer whose name nobody knows, as in the imitated product."""
_CALLED = ("CUSTOMER_FIRST_NAME", "CUSTOMER_FULL_NAME")
VARIABLES = (
    *_CALLED, "CUSTOMER_LAST_NAME", "AGENT_FIRST_NAME", "AGENT_LAST_NAME", "AGENT_FULL_NAME", "AGENT_EMAIL",
    "AGENT_NUMBER", "QUEUE_NAME", "COMPANY_NAME", "TICKET_ID", "OUTBOUND_NUMBER",
)  # fmt: skip
"""What may stand in a shortcut as `@{NAME}`, spelled as in the other texts."""

_VARIABLE = re.compile(r"@\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A ready-made answer; `name` is what an agent types after `/`, `category` what he types after `#`."""

    name: str
    category: str
    body: str


def fill(body: str, values: Mapping[str, str]) -> str:
    """The text with the values in the places of its variables.

    One of VARIABLES without a value is UNKNOWN where it names the consumer, else nothing; what is no variable stays as
    it is written. Values are put in as they are: one that looks like a variable is none.
    """
    known = {**dict.fromkeys(VARIABLES, ""), **{name: value for name, value in values.items() if value}}
    known |= {name: UNKNOWN for name in _CALLED if not known[name]}
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), body)
