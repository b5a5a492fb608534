"""What one can try with a click: bodies for the API that show something, made for this tenant."""

import json
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from smsdesk.desk.words import Words

PHONES = tuple(f"+1415555{number:04}" for number in range(100, 200))
"""Numbers that nobody has (NANP keeps 555-0100 to 555-0199 for fiction), for handsets of the lab."""
_NIGHTS = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Asia/Tokyo", "Asia/Kolkata", "Europe/Paris")


@dataclass(frozen=True, slots=True)
class Preset:
    """A body to send, and what one will see."""

    label: str
    body: str
    hint: str


def presets(words: Words, phone: str, ours: str, now: datetime) -> list[Preset]:
    """The first is the seed's example, for a phone with which no chat is open."""
    say = words.say
    base = {"chat_type": "Messaging (SMS)", "end_user_number": phone, "outbound_number": ours, "message": "lorem ipsum"}

    def one(label: str, hint: str, **more: str) -> Preset:
        return Preset(label, json.dumps({**base, **more}, indent=2, ensure_ascii=False), hint)

    return [
        one(say("The first text"), say("Send it, then read it on the handset and type a reply there."),
            ticket_id="5006x00000XXxxxXXX"),
        one(say("A costly text"), say("One curly quote makes two parts of one: the dry run names the character."),
            message="Your order is ready. It’s waiting for you at the counter until 6 pm today, thank you!"),
        one(say("A long text"), say("Several parts, put together again by the handset."),
            message="Your order is ready. " * 20),
        one(say("Quiet hours"), say("It is night there: the dry run says when a marketing text would leave."),
            category="marketing", end_user_time_zone=_night(now)),
        one(say("After an opt-out"), say("Type STOP at this handset first: then it is refused until START.")),
        one(say("A carrier that refuses"), say("The lab obeys some words in a text: #refuse is refused."),
            message="lorem ipsum #refuse"),
    ]  # fmt: skip


def _night(now: datetime) -> str:
    return next((zone for zone in _NIGHTS if now.astimezone(ZoneInfo(zone)).hour in (22, 23, *range(7))), _NIGHTS[0])
