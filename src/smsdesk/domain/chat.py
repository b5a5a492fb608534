"""A chat as everybody sees it: one SMS session with a consumer, and who is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from smsdesk.domain.media import Media
from smsdesk.domain.tenant import Agent
from smsdesk.domain.transfer import Transfer


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
    role: str = "agent"
    """`supervisor`: he joined a chat that is another's."""


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
    prompt: str | None = None
    """What a consumer is told who comes to it: its greeting, or its menu."""
    menu_type: str = "sms"
    """`supervisors` for the one that no menu leads to; the imitated product has a type for each channel's menus."""


@dataclass(frozen=True, slots=True)
class OfferEvent:
    """A time at which agents were asked to take a chat."""

    at: datetime
    group: str | None


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
    chat_type: str | None = None
    """None is what a send of the API begins."""
    wait_duration: int = 0
    """Whole seconds that it waited before an agent had it, or until its end where none came."""
    chat_duration: int = 0
    """Whole seconds that agents had it, once it has ended; what it was set aside does not count."""
    rating: int | None = None
    has_feedback: bool = False
    verified: bool = False
    answer_type: str = "manual"
    offer_type: str | None = None
    offer_events: tuple[OfferEvent, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    queues: Mapping[int, Queue] = field(default_factory=dict)
    """Those that its transfers name."""
    media: tuple[Media, ...] = ()


def ticket_url(page: str | None, ticket_id: str | None) -> str | None:
    """Where a ticket is read: the tenant's page with `{ticket_id}` replaced; None without the one or the other."""
    if not page or not ticket_id:
        return None
    return page.replace("{ticket_id}", quote(ticket_id, safe=""))
