"""The keys of the desk: one table, which the list under `?` is made of.

`static/keys.js` does what it says: a key of `data-key` presses the element of the page that has it, and is nothing
where there is none.
"""

from dataclasses import dataclass

from smsdesk.desk.nav import links
from smsdesk.desk.visitor import Visitor


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A line of the list."""

    keys: tuple[str, ...]
    """One after another."""
    label: str


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys that belong together."""

    label: str
    lines: tuple[KeyLine, ...]


def key_groups(visitor: Visitor) -> list[KeyGroup]:
    """All keys that this person may press."""
    say = visitor.words.say
    places = [KeyLine(("g", link.key), link.label) for link in links(visitor)]
    return [
        KeyGroup(
            say("Everywhere"),
            (
                KeyLine(("?",), say("Show these keys")),
                KeyLine(("a",), say("Accept the first offer")),
                KeyLine(("x",), say("Decline the first offer")),
                KeyLine(("m",), say("My status")),
                KeyLine(("Esc",), say("Close what is open; leave the field")),
                *places,
            ),
        ),
        KeyGroup(
            say("Chats"),
            (
                KeyLine(("j",), say("Next chat of the list")),
                KeyLine(("k",), say("Chat before it")),
                KeyLine(("1",), say("Mine")),
                KeyLine(("2",), say("Sent")),
                KeyLine(("3",), say("Waiting")),
                KeyLine(("4",), say("Aside")),
            ),
        ),
        KeyGroup(
            say("The open chat"),
            (
                KeyLine(("r",), say("Write an answer")),
                KeyLine(("n",), say("Write a note")),
                KeyLine(("t",), say("Transfer")),
                KeyLine(("d",), say("Set aside")),
                KeyLine(("e",), say("End")),
            ),
        ),
        KeyGroup(
            say("While writing"),
            (
                KeyLine(("Ctrl+Enter",), say("Send")),
                KeyLine(("/",), say("Shortcuts by name")),
                KeyLine(("#",), say("Shortcuts by category")),
                KeyLine(("Alt+S",), say("Replace costly characters")),
            ),
        ),
    ]
