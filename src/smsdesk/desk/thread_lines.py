"""The lines of a thread as the page shows them: every word and time ready, each line with a name and a version."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from urllib.parse import urlsplit

from smsdesk.desk.happened_words import Names, event_words
from smsdesk.desk.state_words import Reader, StateWords, state_words
from smsdesk.domain.media import Media
from smsdesk.domain.thread import Event, Line

SIDES = {"end_user": "in", "note": "note"}


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message. `path` is empty for one that cannot be looked at; `why` says why."""

    kind: str
    name: str
    path: str
    why: str = ""

    @classmethod
    def of(cls, media: Media, why: str = "") -> "File":
        """A file of a chat. Its link is one of our own host, whatever that is called outside: the policy of the page
        lets nothing else be shown."""
        return cls(media.kind or "file", media.name, urlsplit(media.url).path if media.url else "", why)


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the thread. `key` names it among all chats, `version` changes with what it shows."""

    key: str
    kind: str
    """`day`, `event`, `in`, `out` or `note`."""
    at: datetime
    clock: str = ""
    who: str = ""
    words: str = ""
    more: int = 0
    """Characters of all of it, where only its beginning is here."""
    message_id: int = 0
    state: StateWords | None = None
    files: tuple[File, ...] = ()
    sender: str = ""
    said_by: str = ""
    """What was written to an event."""
    version: str = field(default="", compare=False)


class Writer:
    """Writes lines for one reader of one chat."""

    def __init__(self, chat_id: int, reader: Reader, names: Names, media: Mapping[int, list[Media]]) -> None:
        self._chat_id = chat_id
        self._reader = reader
        self._names = names
        self._media = media

    def write(self, lines: Iterable[Line | Event]) -> list[Shown]:
        """The lines, with a line for each day before the first of it."""
        shown: list[Shown] = []
        today: date | None = None
        for one in lines:
            at = one.created_at if isinstance(one, Line) else one.at
            day = at.astimezone(self._reader.zone).date()
            if day != today:
                today = day
                shown.append(_named(Shown(f"d{self._chat_id}-{day.isoformat()}", "day", at, words=self._day(at, day))))
            shown.append(self._message(one) if isinstance(one, Line) else self._event(one))
        return shown

    def _day(self, at: datetime, day: date) -> str:
        now = self._reader.now.astimezone(self._reader.zone).date()
        if day == now:
            return self._reader.words.say("Today")
        if (now - day).days == 1:
            return self._reader.words.say("Yesterday")
        return self._reader.words.day(at, self._reader.zone)

    def _event(self, event: Event) -> Shown:
        whom = event.agent_id or event.to_agent_id or event.queue_id or 0
        key = f"e{self._chat_id}-{event.kind}-{int(event.at.timestamp() * 1000)}-{whom}"
        return _named(
            Shown(key, "event", event.at, self._clock(event.at), words=event_words(event, self._names),
                  said_by=event.note if event.kind == "transferred" else "")
        )  # fmt: skip

    def _message(self, line: Line) -> Shown:
        files = tuple(self._file(one) for one in self._media.get(line.message_id, ()))
        return _named(
            Shown(
                f"m{line.message_id}", SIDES.get(line.sender, "out"), line.created_at, self._clock(line.created_at),
                self._who(line), line.body, line.length if line.length > len(line.body) else 0, line.message_id,
                state_words(line, self._reader), files, line.sender,
            )
        )  # fmt: skip

    def _clock(self, at: datetime) -> str:
        return self._reader.words.clock(at, self._reader.zone)

    def _who(self, line: Line) -> str:
        say = self._reader.words.say
        match line.sender:
            case "end_user":
                return ""
            case "system":
                return say("Automatic")
            case "note":
                return self._names.agent(line.agent_id) if line.agent_id else say("System")
        return self._names.agent(line.agent_id) if line.agent_id else say("API")

    def _file(self, media: Media) -> File:
        say = self._reader.words.say
        if media.url is not None:
            return File.of(media)
        if media.state == "wanted":
            return File.of(media, say("still on its way from the carrier"))
        why = media.reason or say("no reason is known")
        return File.of(media, say("not kept: {why}", why=why))


def _named(shown: Shown) -> Shown:
    told = repr((shown.clock, shown.who, shown.words, shown.state, shown.files, shown.said_by))
    version = f"{zlib.crc32(told.encode('utf-8', 'surrogatepass')):x}"
    return replace(shown, version=version)


def newer(shown: list[Shown], have: Mapping[str, str]) -> tuple[list[Shown], list[Shown]] | None:
    """Which lines are new to a page that has these (name to version), and which have changed. None where new ones do
    not all come after what it has, so that it is to be shown everything: it slept, or something was late."""
    lines = [place for place, one in enumerate(shown) if one.kind != "day"]
    known = [place for place in lines if shown[place].key in have]
    if not known or known[0] != lines[0]:
        return None
    if any(one.key not in have for one in shown[known[0] : known[-1]]):
        return None
    changed = [shown[place] for place in known if have[shown[place].key] != shown[place].version]
    return shown[known[-1] + 1 :], changed
