"""Where one can go from every page."""

from dataclasses import dataclass

from smsdesk.desk.visitor import Visitor
from smsdesk.domain.rights import Right


@dataclass(frozen=True, slots=True)
class Link:
    """A place of the navigation."""

    path: str
    label: str
    key: str
    """What one types after `g` to go there."""


def links(visitor: Visitor) -> list[Link]:
    """The places that this person may go to."""
    say = visitor.words.say
    places: list[tuple[Right, Link]] = [
        ("work", Link("/desk", say("Chats"), "c")),
        ("supervise", Link("/desk/board", say("Live board"), "b")),
        ("supervise", Link("/desk/search", say("Search"), "s")),
        ("supervise", Link("/desk/doubtful", say("Doubtful texts"), "d")),
        ("supervise", Link("/desk/reports", say("Reports"), "r")),
        ("administer", Link("/desk/admin", say("Set-up"), "a")),
        ("administer", Link("/desk/developer", say("Developer"), "x")),
    ]
    return [link for right, link in places if visitor.may(right)]
