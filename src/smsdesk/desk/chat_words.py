"""How a chat stands, in words that people at the desk read."""

from smsdesk.desk.words import Words


def state_words(words: Words, status: str, direction: str, owner: str) -> str:
    """What an open chat is doing; `owner` is the name of whose it is, empty where it is nobody's."""
    say = words.say
    if status == "selecting":
        return say("Waiting for the consumer's answer") if direction == "outbound" else say("Choosing in the menu")
    if status in ("assigned", "ongoing"):
        return say("With {name}", name=owner)
    return {
        "queued": say("Waiting for an agent"),
        "resumed": say("Came back, waiting for an agent"),
        "transferred": say("Given on, waiting for an agent"),
        "dismissed": say("Set aside"),
    }.get(status, status)


def ending_words(words: Words, status: str, fail_reason: str | None, ended_by: str) -> str:
    """How a chat has ended."""
    say = words.say
    by_reason = {
        "end_user_opt_out": say("Ended: the consumer opted out"),
        "no_response": say("Ended: nobody answered"),
        "expired": say("Ended: nobody was free in time"),
        "after_hours": say("Ended: outside the hours"),
        "unmapped": say("Ended: the number leads nowhere"),
    }
    by_whom = {
        "disconnected_by_agent": say("Ended by an agent"),
        "disconnected_by_end_user": say("Ended by the consumer"),
        "disconnected_by_system": say("Ended: the consumer fell silent"),
    }
    if fail_reason in by_reason:
        return by_reason[fail_reason]
    return say("The consumer left") if status == "abandoned" else by_whom.get(ended_by, say("Ended"))


def status_words(words: Words, status: str) -> str:
    """What an agent does; a status of the tenant's own is called as the tenant calls it."""
    say = words.say
    return {
        "available": say("Available"),
        "unavailable": say("Unavailable"),
        "break": say("Break"),
        "meal": say("Meal"),
        "special_task": say("Special task"),
        "offline": say("Offline"),
        "missed_chat": say("Missed a chat"),
        "unresponsive": say("Not responding"),
    }.get(status, status)
