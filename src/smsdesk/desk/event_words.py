"""The events of the log in words for people."""

from collections.abc import Callable
from dataclasses import dataclass

from smsdesk.desk.words import Words
from smsdesk.domain.outcome import REASONS
from smsdesk.store.event_log import Event


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a line: what happened, how good that is, and the words of others, which are shown as such."""

    event: Event
    title: str
    tone: str
    """`good`, `warn`, `bad`, `accent`, or empty."""
    said: str = ""
    detail: str = ""


def tell_event(event: Event, words: Words) -> Told:
    """The line of an event; one whose kind is not known is named by it."""
    teller = _TELLERS.get(event.kind)
    return teller(event, words) if teller else Told(event, event.kind, "", event.what, event.more)


def _accepted(event: Event, words: Words) -> Told:
    say = words.say
    title = {
        "api": say("Accepted from the API for {number}", number=event.more),
        "agent": say("Written by an agent for {number}", number=event.more),
        "system": say("Said by the desk to {number}", number=event.more),
        "reply": say("Reply from {number}", number=event.more),
    }[event.kind]
    return Told(event, title, "accent" if event.kind == "reply" else "", event.what, event.who)


def _handed(event: Event, words: Words) -> Told:
    title = words.say("Handed to {carrier}, part {part}", carrier=event.who, part=event.what)
    return Told(event, title, "", detail=words.say("it calls it {id}", id=event.more) if event.more else "")


def _receipt(event: Event, words: Words) -> Told:
    say = words.say
    title, tone = {
        "sent": (say("Taken by {carrier}, part {part}", carrier=event.who, part=event.what), ""),
        "delivered": (say("Delivered, part {part}", part=event.what), "good"),
        "undelivered": (say("Not delivered, part {part}", part=event.what), "bad"),
        "failed": (say("Refused by {carrier}, part {part}", carrier=event.who, part=event.what), "bad"),
        "expired": (say("Expired at the carrier, part {part}", part=event.what), "bad"),
        "unsent": (say("Never left, part {part}", part=event.what), "warn"),
    }[event.kind]
    return Told(event, title, tone, detail=event.more)


def _given_up(event: Event, words: Words) -> Told:
    return Told(event, words.say("Not sent"), "bad", detail=words.say(REASONS.get(event.what, event.what)))


def _doubtful(event: Event, words: Words) -> Told:
    return Told(event, words.say("In doubt: no answer from the carrier"), "warn")


def _settled(event: Event, words: Words) -> Told:
    return Told(event, words.say("Settled by a person: {verdict}", verdict=event.what), "", detail=event.who)


def _moved(event: Event, words: Words) -> Told:
    return Told(event, words.say("Goes over {carrier} now", carrier=event.what), "warn", detail=event.more)


def _opened(event: Event, words: Words) -> Told:
    say = words.say
    return Told(event, say("Chat opened by us") if event.what == "outbound" else say("Chat opened by a reply"), "")


def _ended(event: Event, words: Words) -> Told:
    return Told(event, words.say("Chat ended"), "", detail=event.what)


def _became(event: Event, words: Words) -> Told:
    say = words.say
    titles = {
        "selecting": say("The consumer chooses from the menu"),
        "queued": say("Waits in {queue}", queue=event.more),
        "resumed": say("Taken up again, waits in {queue}", queue=event.more),
        "assigned": say("Assigned to {agent}", agent=event.who),
        "ongoing": say("In hand of {agent}", agent=event.who),
        "dismissed": say("Dismissed by {agent}", agent=event.who),
        "transferred": say("On its way to {place}", place=event.more or event.who),
    }
    return Told(event, titles.get(event.what, event.what), "")


def _offered(event: Event, words: Words) -> Told:
    return Told(event, words.say("Offered to {agent}", agent=event.who), "")


def _offer(event: Event, words: Words) -> Told:
    say = words.say
    titles = {
        "accepted": (say("Accepted by {agent}", agent=event.who), "good"),
        "declined": (say("Declined by {agent}", agent=event.who), "warn"),
        "missed": (say("Missed by {agent}", agent=event.who), "warn"),
        "withdrawn": (say("No longer offered to {agent}", agent=event.who), ""),
    }
    title, tone = titles.get(event.what, (event.what, ""))
    return Told(event, title, tone)


def _transfer(event: Event, words: Words) -> Told:
    return Told(event, words.say("Transfer to {place}", place=event.who or event.more), "")


def _consent(event: Event, words: Words) -> Told:
    out = event.kind == "opted_out"
    title = words.say("Opted out of texts") if out else words.say("Opted in again")
    return Told(event, title, "bad" if out else "good", event.what)


_TELLERS: dict[str, Callable[[Event, Words], Told]] = {
    **dict.fromkeys(("api", "agent", "system", "reply"), _accepted),
    **dict.fromkeys(("sent", "delivered", "undelivered", "failed", "expired", "unsent"), _receipt),
    **dict.fromkeys(("opted_out", "opted_in"), _consent),
    "handed": _handed, "given up": _given_up, "doubtful": _doubtful, "settled": _settled, "moved": _moved,
    "opened": _opened, "ended": _ended, "became": _became, "offered": _offered, "offer": _offer,
    "transfer": _transfer,
}  # fmt: skip
