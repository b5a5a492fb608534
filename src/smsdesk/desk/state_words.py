"""How a text stands, in plain words: an icon, what became of it, and what one can do about it."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from smsdesk.desk.words import Words
from smsdesk.domain.thread import Line


@dataclass(frozen=True, slots=True)
class StateWords:
    """The state of a text for people. `tone` is `wait`, `sent`, `good`, `warn` or `bad`."""

    icon: str
    tone: str
    said: str
    todo: str = ""
    again: bool = False
    """Whether it may be sent again from here: it surely did not reach the phone, and might another time."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, where and when."""

    words: Words
    zone: ZoneInfo
    now: datetime
    supervises: bool = False
    their_zone: ZoneInfo | None = None
    """The consumer's, where it is one only."""


AGAIN = frozenset(
    {"unreachable", "carrier_error", "not_sent", "expired_here", "queue_full", "unknown_error", "filtered"}
)
"""Reasons after which the same words may arrive another time. What was filtered is better changed first."""


def state_words(line: Line, reader: Reader) -> StateWords | None:
    """The state of a text; None for what is none."""
    if not line.is_text or line.state is None:
        return None
    say, at = reader.words.say, line.state_at
    clock = reader.words.brief(at, reader.zone, reader.now) if at else ""
    match line.state:
        case "queued":
            return _queued(line, reader)
        case "sending":
            return StateWords("↗", "wait", say("being handed to the carrier"))
        case "sent" if line.ended:
            todo = say("The carrier never said what became of it. Where it matters, ask the person.")
            return StateWords("✓", "sent", say("sent; never confirmed"), todo)
        case "sent":
            if 0 < line.delivered < line.parts:
                return StateWords("✓", "sent", _partly(line, reader.words))
            return StateWords("✓", "sent", say("sent at {time}", time=clock))
        case "delivered":
            return StateWords("✓✓", "good", say("delivered at {time}", time=clock))
        case "doubtful":
            return _doubtful(reader)
    return _failed(line, reader)


def _partly(line: Line, words: Words) -> str:
    return words.count("{number} of {parts} parts delivered", "{number} of {parts} parts delivered",
                       line.delivered, parts=line.parts)  # fmt: skip


def _queued(line: Line, reader: Reader) -> StateWords:
    say = reader.words.say
    if line.aside:
        return StateWords("⏸", "warn", say("waits: it is not clear whether they want our texts"),
                          say("Decide that first; then it leaves by itself."))  # fmt: skip
    if line.due_at is not None and line.due_at > reader.now:
        until = reader.words.brief(line.due_at, reader.zone, reader.now)
        if line.quiet_rule is not None:
            theirs = ""
            if reader.their_zone is not None:
                theirs = reader.words.clock(line.due_at, reader.their_zone)
            if theirs:
                said = say("quiet hours: leaves at {time} ({theirs} their time)", time=until, theirs=theirs)
            else:
                said = say("quiet hours: leaves at {time}", time=until)
            return StateWords("☾", "wait", said)
        why = reasons(reader.words)[line.reason][0] if line.reason in reasons(reader.words) else ""
        said = say("tried again at {time}", time=until)
        return StateWords("↻", "wait", f"{said}: {why}" if why else said)
    if line.line_down:
        todo = say("Nothing: it leaves by itself as soon as the line works.")
        return StateWords("…", "warn", say("waits: the line to the carrier is down"), todo)
    if line.behind:
        return StateWords("…", "wait", say("waits behind another text to them"))
    if line.reason == "queue_full":
        return StateWords("…", "wait", say("waits for a sending slot"))
    return StateWords("…", "wait", say("waiting to leave"))


def _doubtful(reader: Reader) -> StateWords:
    say = reader.words.say
    todo = say("The line broke while it was handed over. It is not sent again by itself, so that nobody gets it twice.")
    todo += " " + (
        say("Settle it among the doubtful texts.") if reader.supervises else say("A supervisor can settle it.")
    )
    return StateWords("?", "warn", say("it is not known whether it left"), todo)


def _failed(line: Line, reader: Reader) -> StateWords:
    say, table = reader.words.say, reasons(reader.words)
    reason = line.reason if line.reason in table else "unknown_error"
    why, todo = table[reason]
    if 0 < line.delivered < line.parts:
        said = f"{_partly(line, reader.words)}: {why}"
    elif line.state == "expired" or reason == "not_sent":
        said = say("not sent: {why}", why=why)
    else:
        said = say("not delivered: {why}", why=why)
    return StateWords("✕", "bad", said, todo, reason in AGAIN)


def reasons(words: Words) -> dict[str, tuple[str, str]]:
    """Each reason of `domain.outcome.REASONS`: why, and what an agent can do."""
    say = words.say
    later, supervisor = say("Send it again later."), say("Send it again; if it fails again, tell a supervisor.")
    return {
        "opted_out": (say("they asked not to be texted"), say("Do not text them until they send START. Call instead.")),
        "unreachable": (say("the phone is off or out of reach"), later),
        "blocked": (say("the carrier or the person blocks our number"), say("Reach them another way.")),
        "unknown_number": (say("this is not a working number"), say("Ask the person for the right number.")),
        "landline": (say("this is a landline"), say("Call, or ask for a mobile number.")),
        "filtered": (
            say("the carrier took it for spam"),
            say("Change the words: fewer links, no capitals. Then send."),
        ),
        "unknown_error": (say("the carrier gave no reason"), supervisor),
        "queue_full": (say("there was no sending slot in time"), later),
        "unregistered": (
            say("our number is not approved to text"),
            say("Tell a supervisor: the number must be registered."),
        ),
        "expired_here": (say("it was too late to be useful"), say("Send it again if it is still wanted.")),
        "bad_sender": (
            say("the carrier does not accept our number"),
            say("Tell a supervisor: the carrier must allow it."),
        ),
        "too_long": (say("the carrier refused its length"), say("Send it as shorter texts.")),
        "carrier_error": (say("the carrier had a fault"), supervisor),
        "not_sent": (say("it did not leave, as a person found out"), say("Send it again if it is still wanted.")),
        "ambiguous": (say("it may have been sent"), say("Wait: it is being checked.")),
    }


def state_names(words: Words) -> dict[str, str]:
    """A word for each state of a text or of a part, and for each verdict of a person on a doubtful one."""
    say = words.say
    return {
        "queued": say("waiting"), "sending": say("being handed over"), "sent": say("sent"),
        "delivered": say("delivered"), "undelivered": say("not delivered"), "failed": say("failed"),
        "expired": say("too late"), "doubtful": say("in doubt"), "unsent": say("not sent"),
        "not_sent": say("not sent"), "send_again": say("send it again"),
    }  # fmt: skip
