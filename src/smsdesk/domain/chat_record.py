"""All that is kept of a chat, as its transcript and its metadata read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from smsdesk.domain.chat import Chat, Queue
from smsdesk.domain.media import Media
from smsdesk.domain.tenant import Agent

UNKNOWN_CONSUMER = "Customer"
"""What a consumer is called of whom no name is known (page languages-messages)."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who the tenant talks to."""

    end_user_id: int
    number: str
    identifier: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None

    @property
    def short_name(self) -> str:
        """First name and initial."""
        return short_name(self.first_name, self.last_name) or UNKNOWN_CONSUMER


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a chat had one status. Those of a chat cover its life without a gap."""

    status: str
    agent_id: int | None
    queue_id: int | None
    started_at: datetime
    ended_at: datetime | None
    """None for the present one."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one side said."""

    message_id: int
    sender: str
    agent_id: int | None
    body: str
    at: datetime
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An agent who was asked to take the chat, and did not."""

    agent_id: int
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WrapUp:
    """An agent's work after the chat."""

    agent_id: int
    started_at: datetime
    ended_at: datetime | None
    disposition: str | None
    notes: str


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """One chat with everything that happened in it."""

    chat: Chat
    direction: str
    company: str
    time_zone: str
    """The desk's, as an IANA name."""
    consumer: Consumer
    is_direct: bool = False
    """The number belongs to one agent."""
    carrier: str | None = None
    carrier_type: str | None = None
    feedback: str | None = None
    spans: tuple[Span, ...] = ()
    said: tuple[Said, ...] = ()
    asked: tuple[Asked, ...] = ()
    wrap_ups: tuple[WrapUp, ...] = ()
    agents: Mapping[int, Agent] = field(default_factory=dict)
    """Those who appear in it."""
    teams: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The queues that each of them works in."""
    queues: Mapping[int, Queue] = field(default_factory=dict)
    targets: Mapping[int, int] = field(default_factory=dict)
    """How soon a consumer ought to be answered in a queue, in seconds; queues without a target are not in it."""

    def agent_name(self, agent_id: int | None) -> str:
        """An agent as transcripts name him."""
        agent = self.agents.get(agent_id) if agent_id is not None else None
        if agent is None:
            return "Agent"
        return short_name(agent.first_name, agent.last_name) or f"Agent {agent.agent_id}"

    def queue_name(self, queue_id: int | None) -> str | None:
        """A queue with the way to it from the top, such as `Support/Billing`."""
        queue = self.queues.get(queue_id) if queue_id is not None else None
        return "/".join(queue.path_names) if queue else None


def short_name(first_name: str | None, last_name: str | None) -> str:
    """First name and the initial of the last, such as `John D.`; empty where neither is known."""
    first, last = (first_name or "").strip(), (last_name or "").strip()
    return f"{first} {last[:1]}{'.' if last else ''}".strip()
