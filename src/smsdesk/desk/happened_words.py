"""What happened in a chat, in the reader's words."""

from collections.abc import Mapping
from dataclasses import dataclass

from smsdesk.desk.words import Words
from smsdesk.domain.tenant import Agent
from smsdesk.domain.thread import Event


@dataclass(frozen=True, slots=True)
class Names:
    """What the people and queues of a chat are called."""

    agents: Mapping[int, Agent]
    queues: Mapping[int, str]
    company: str
    words: Words

    def agent(self, agent_id: int | None) -> str:
        """A colleague."""
        known = self.agents.get(agent_id) if agent_id is not None else None
        if known is None:
            return self.words.say("Somebody")
        return known.name or known.email

    def queue(self, queue_id: int | None) -> str:
        """A queue with the way to it."""
        return self.queues.get(queue_id or 0) or self.words.say("another queue")


def event_words(event: Event, names: Names) -> str:
    """The event as a sentence. Names in it come from outside: it is escaped as any text."""
    who, say = names.agent(event.agent_id), names.words.say
    match event.kind:
        case "began" | "began_with":
            return _began(event, names, who)
        case "transferred" | "transfer_failed" | "transfer_cancelled":
            return _transferred(event, names)
        case "waits" | "resumed":
            return _waits(event, names)
        case "ended":
            return _ended(event, names.words)
    simple = {
        "declined": say("{name} declined the offer.", name=who),
        "missed": say("{name} missed the offer.", name=who),
        "dismissed": say("The chat was set aside: the consumer is silent."),
        "has": say("{name} has the chat.", name=who),
        "joined": say("{name} came in as a supervisor.", name=who),
        "left": say("{name} left.", name=who),
    }
    return simple[event.kind]


def _transferred(event: Event, names: Names) -> str:
    say = names.words.say
    whom = names.agent(event.to_agent_id) if event.to_agent_id else names.queue(event.queue_id)
    by = names.agent(event.agent_id) if event.agent_id else say("A supervisor")
    if event.kind == "transfer_failed":
        return say("The transfer to {target} failed: {why}.", target=whom, why=_why(event.word, names.words))
    if event.kind == "transfer_cancelled":
        return say("The transfer to {target} was cancelled.", target=whom)
    if event.word == "warm":
        return say("{name} asked {target} to take over the chat.", name=by, target=whom)
    return say("{name} transferred the chat to {target}.", name=by, target=whom)


def _began(event: Event, names: Names, who: str) -> str:
    say = names.words.say
    if event.word == "inbound":
        begun = say("The consumer began the chat.")
    else:
        begun = say("{company} began the chat.", company=names.company)
    return f"{begun} {say('{name} has the chat.', name=who)}" if event.kind == "began_with" else begun


def _waits(event: Event, names: Names) -> str:
    say = names.words.say
    if event.queue_id is None:
        return say("The chat came back.") if event.kind == "resumed" else say("The chat waits for an agent.")
    place = names.queue(event.queue_id)
    if event.kind == "resumed":
        return say("The chat came back to {queue}.", queue=place)
    return say("The chat waits in {queue}.", queue=place)


def _why(reason: str, words: Words) -> str:
    say = words.say
    known = {
        "declined": say("declined"),
        "no_answer": say("nobody came"),
        "chat_ended": say("the chat has ended"),
    }
    return known.get(reason) or reason.replace("_", " ") or say("no reason is known")


def _ended(event: Event, words: Words) -> str:
    say = words.say
    reasons = {
        "end_user_opt_out": say("The chat has ended: the consumer opted out of our texts."),
        "no_response": say("The chat has ended: nobody answered our text."),
        "expired": say("The chat has ended: it waited too long for an agent."),
        "after_hours": say("The chat has ended: the queue was closed."),
        "unmapped": say("The chat has ended: its number leads to no queue."),
    }
    if event.note in reasons:
        return reasons[event.note]
    by = {
        "disconnected_by_agent": say("The chat was ended by the agent."),
        "disconnected_by_end_user": say("The chat was ended by the consumer."),
        "disconnected_by_system": say("The chat was ended by the system: the consumer was silent."),
    }
    return by.get(event.word) or say("The chat has ended.")
