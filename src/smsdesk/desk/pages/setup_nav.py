"""The places of the set-up: one line each, for the navigation beside every page of it."""

from dataclasses import dataclass

from smsdesk.desk.forms.kinds import KINDS
from smsdesk.desk.forms.settings import GROUPS
from smsdesk.desk.visitor import Visitor

ADMIN = "/desk/admin"
SETTINGS = f"{ADMIN}/settings"


@dataclass(frozen=True, slots=True)
class Section:
    """Some places under one heading."""

    title: str
    places: list[tuple[str, str]]
    """Address and name."""


def sections(visitor: Visitor) -> list[Section]:
    """All places of the set-up."""
    say = visitor.words.say
    return [
        Section(say("Set-up"), [
            (ADMIN, say("Overview")),
            *((f"{ADMIN}/{each.section}", say(each.title)) for each in KINDS.values()),
            (f"{ADMIN}/file", say("The whole file")),
        ]),
        Section(say("Settings"), [(f"{SETTINGS}/{each.name}", say(each.title)) for each in GROUPS]),
        Section(say("Programs and checks"), [
            (f"{ADMIN}/tokens", say("API tokens")),
            (f"{ADMIN}/test-send", say("Send a test")),
            (f"{ADMIN}/health", say("Health")),
            (f"{ADMIN}/audit", say("Who changed what")),
        ]),
    ]  # fmt: skip
