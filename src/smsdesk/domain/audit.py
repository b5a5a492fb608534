"""Who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Source = Literal["desk", "api", "command"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something: an agent at the desk, a program with a credential, or somebody at the machine itself."""

    source: Source
    agent_id: int | None = None
    credential_id: int | None = None


COMMAND = Author("command")


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done. `action` is a verb and a noun, such as `change setup`; `subject` names what it was done
    to; secrets and message text never stand in `details`."""

    author: Author
    action: str
    subject: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastDeed:
    """A deed as the audit has it."""

    audit_id: int
    at: datetime
    deed: Deed
    name: str
    """Of the agent or the credential; empty of a command."""
