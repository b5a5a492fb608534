"""What a queue does with its chats: each setting is its own, else that of the queue above it, else the tenant's."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from smsdesk.domain.hours import Hours

Routing = Literal["deltacast", "multicast", "cascade", "percent_allocation"]
TEXTS = (
    "greeting", "menu", "not_understood", "after_hours", "hold", "closing", "exit", "dismissed", "resumed", "expired",
    "timeout", "survey", "survey_thanks",
)  # fmt: skip
"""The texts that a queue sends by itself. An empty one is not sent."""


@dataclass(frozen=True, slots=True)
class Group:
    """Agents of a queue who are asked together."""

    name: str
    percent: int = 0
    """Its share of the chats, where `routing` is `percent_allocation`."""
    seconds: int = 30
    """How long it is asked before the next group is asked too, where `routing` is `cascade`."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The settings of a queue as they stand after inheritance; each default works without any set-up."""

    lang: str = "en"
    """The language of its chats, as ISO 639-1."""
    routing: Routing = "deltacast"
    """Who is asked to take a chat: `deltacast` the agent who has been idle longest, one after another; `multicast` all
    who are ready; `cascade` the first group, then the second as well, and so on; `percent_allocation` a group by its
    share, and in it the longest idle."""
    auto_answer: bool = False
    """Whether the agent gets the chat without being asked. Only with `deltacast`."""
    offer_seconds: int = 30
    """How long an agent is asked before the offer is missed."""
    groups: tuple[Group, ...] = ()
    """Group 1, 2 and so on; agents stand in one of them for each of their queues."""
    skills: tuple[str, ...] = ()
    """What an agent must have to be asked."""
    hours: Hours | None = None
    """When it is open; None is always."""
    after_hours: Literal["queue", "close"] = "queue"
    """What becomes of a chat that comes while it is closed: it waits in the queue, or ends (`after_hours`)."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By name of TEXTS. A queue's own go over those above it one by one."""
    hold_seconds: int = 120
    """How long a consumer waits before the `hold` text is sent, once."""
    queue_expiry_minutes: int = 0
    """A chat that nobody has taken after so long fails (`expired`); 0 is never."""
    agent_silence_minutes: int = 0
    """A chat whose consumer waits so long for its agent goes back to the queue; 0 is never."""
    consumer_silence_minutes: int = 1440
    """A chat whose consumer says nothing for so long ends; 0 is never."""
    dismissal_minutes: int = 0
    """An inbound chat whose consumer says nothing for so long is set aside, and comes back with his next text; 0 is
    never."""
    orphan_minutes: int = 5
    """How long a consumer waits for an agent who has left his desk before another is asked."""
    reply_to_closed: Literal["queue", "last_agent"] = "queue"
    """Who is asked first when a consumer writes after the end of his chat."""
    survey: bool = False
    """Whether the consumer is asked how it was, once an agent has ended the chat."""
    survey_minutes: int = 1440
    """How long an answer to that question counts as one."""
    wrap_up_seconds: int = 0
    """How long an agent gets no offers after a chat; he may end it earlier. 0 is no time."""
    dispositions: tuple[str, ...] = ()
    """What a chat may have been about, as `Billing/Refund`; the agent names one after it. Empty takes any word."""
    target_seconds: int = 0
    """How soon a consumer ought to be answered; 0 sets no target."""


NAMES = tuple(each.name for each in fields(QueueSettings))
