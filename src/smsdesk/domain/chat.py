"""A chat as everybody sees it: one SMS session with a consumer, and who is in it."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from smsdesk.domain.tenant import Agent

OPEN_STATUSES = ("selecting", "queued", "assigned")
ENDED_STATUSES = ("finished", "failed", "abandoned")


@dataclass(frozen=True, slots=True)
class Participant:
    """One side of a chat: the consumer, or an agent."""

    participant_id: int
    type: str
    status: str
    user_id: int | None
    end_user_id: int | None
    connected_at: datetime
    ended_at: datetime | None = None
    fail_reason: str = "nothing"


@dataclass(frozen=True, slots=True)
class EndUser:
    """A consumer, known by his number."""

    end_user_id: int
    identifier: str | None = None
    out_contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A leaf of the menu tree, with the names on the way to it."""

    queue_id: int
    name: str
    parent_id: int | None
    position: int
    hidden: bool
    deleted: bool
    path_names: tuple[str, ...]
    path_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chat:
    """One SMS session. Times are UTC; durations follow from them."""

    chat_id: int
    status: str
    created_at: datetime
    outbound_number: str
    end_user: EndUser
    participants: tuple[Participant, ...]
    lang: str = "en"
    queued_at: datetime | None = None
    assigned_at: datetime | None = None
    ends_at: datetime | None = None
    out_ticket_id: str | None = None
    out_ticket_url: str | None = None
    disconnected_by: str = "disconnected_by_unknown"
    fail_reason: str | None = None
    agent: Agent | None = None
    queue: Queue | None = field(default=None)

    @property
    def wait_duration(self) -> int:
        """Whole seconds from the queue to the agent, or to the end where no agent came."""
        return _seconds(self.queued_at, self.assigned_at or self.ends_at)

    @property
    def chat_duration(self) -> int:
        """Whole seconds with an agent, once the chat has ended."""
        return _seconds(self.assigned_at, self.ends_at)


def ticket_url(page: str | None, ticket_id: str | None) -> str | None:
    """Where a ticket is read: the tenant's page with `{ticket_id}` replaced; None without the one or the other."""
    if not page or not ticket_id:
        return None
    return page.replace("{ticket_id}", quote(ticket_id, safe=""))


def _seconds(start: datetime | None, end: datetime | None) -> int:
    if start is None or end is None:
        return 0
    return max(0, int((end - start).total_seconds()))
