"""What every CRM promises, whatever it speaks: the jobs know CRMs by this page alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from smsdesk.crm.http import CrmConfig, Http


@dataclass(frozen=True, slots=True)
class Consumer:
    """Whom a chat is with."""

    number: str = field(repr=False)
    """E.164 with the plus."""
    identifier: str | None = field(repr=False)
    """What the tenant's own systems call him."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person whom the CRM knows."""

    contact_id: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A record of the CRM's that a chat belongs to."""

    ticket_id: str
    url: str | None
    """Where a person reads it."""


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """What a CRM is told about a chat. The same at each attempt but for how the chat stands by then."""

    reference: str
    """Names the chat for ever, also among those of other installations."""
    chat_id: int
    consumer: Consumer
    direction: str
    """`outbound` or `inbound`."""
    outbound_number: str
    """The number of ours."""
    queue: str | None
    """The way to it, such as `Support/Billing`."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, for people, and what is known of the chat, for programs."""

    text: str = field(repr=False)
    metadata: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """One attempt of one job, which a CRM is made for."""

    http: Http
    key: str
    """Names the job, the same at each attempt: what was written under it is not written again."""
    since: datetime
    """When the job was made: nothing was written for it before."""
    now: datetime


class Crm(Protocol):
    """A tenant's CRM during one visit.

    Each call may be made again, with the same key, after any end of an earlier one: it then finds what that one wrote,
    and writes nothing twice. Raises `http.Unavailable` for what may heal by itself, `http.Refused` for what will not.
    """

    async def find_contact(self, consumer: Consumer) -> Contact | None:
        """Whom the CRM knows by the identifier, else by the phone number."""

    async def create_contact(self, consumer: Consumer) -> Contact:
        """Makes him known."""

    async def link_ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket of this id, where there is one."""

    async def find_open_ticket(self, contact: Contact) -> Ticket | None:
        """The contact's ticket that was worked on last, of those that are not solved."""

    async def create_ticket(self, chat: ChatFacts, contact: Contact | None) -> Ticket:
        """Makes a ticket for the chat."""

    async def post_transcript(self, ticket: Ticket, chat: ChatFacts, transcript: Transcript) -> None:
        """Puts the transcript under the ticket, for the CRM's own people."""


@dataclass(frozen=True, slots=True)
class CrmType:
    """A kind of CRM: what a person sets for it, and what makes one of it."""

    Config: type[CrmConfig]
    make: Callable[[Any, Visit], Crm]
    """Called with a Config and a visit; raises ValueError for settings that cannot work."""
