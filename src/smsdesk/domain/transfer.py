"""A chat on its way from one agent to another, or to a queue."""

from dataclasses import dataclass
from datetime import datetime

from smsdesk.domain.tenant import Agent


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer as the chat's readers see it. Durations are whole seconds."""

    transfer_id: int
    chat_id: int
    kind: str
    status: str
    fail_reason: str
    created_at: datetime
    connected_at: datetime | None
    assigned_at: datetime | None
    """When the chat became that of whom it was meant for."""
    ended_at: datetime | None
    from_queue_id: int | None
    to_queue_id: int | None
    from_agent: Agent | None
    to_agent: Agent | None
    note: str
    answer_type: str | None
    """`manual` where he accepted it, `auto` where it was given to him; None while it is not his."""
    wait_duration: int
    """From its beginning until somebody came, or it ended; 0 while it goes on."""
    call_duration: int
    """From when the chat was his until it was given on or ended; 0 while it goes on."""
