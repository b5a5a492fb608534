"""The search as it stands in an address: what was asked for, and how it is asked for again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from smsdesk.desk.figures import midnight
from smsdesk.domain.chat_life import ENDED, OPEN, WAITING, WITH_AN_AGENT
from smsdesk.domain.looked_for import read_id

GROUPS: dict[str, tuple[str, ...]] = {
    "open": OPEN, "waiting": WAITING, "with_agent": WITH_AN_AGENT, "ended": ENDED,
}  # fmt: skip
"""What may be asked for beside a status: several of them by one word."""
STATUSES = (*OPEN, *ENDED)
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form as they were typed; empty ones do not filter. What cannot be read is empty too."""

    q: str = ""
    words: str = ""
    """`yes`: the box holds words, whatever they look like."""
    status: str = ""
    direction: str = ""
    queue: str = ""
    agent: str = ""
    ours: str = ""
    person: str = ""
    disposition: str = ""
    about: str = ""
    first: str = ""
    last: str = ""
    """Days, both counted, as the reader's zone has them."""
    ended: str = ""
    """`yes`: the days are those of the end."""
    after: str = ""
    """The chat behind which this page begins."""

    @property
    def filtered(self) -> bool:
        """Whether more is asked for than what stands in the box."""
        return bool(replace(self, q="", words="", after="") != Asked())

    @property
    def statuses(self) -> tuple[str, ...]:
        """Those that are meant; empty is all."""
        return GROUPS.get(self.status) or ((self.status,) if self.status in STATUSES else ())

    def number_of(self, name: str) -> int | None:
        """The id in a field."""
        return read_id(str(getattr(self, name)))

    def days(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """From when until when, the latter not counted."""
        first, last = _day(self.first), _day(self.last)
        return (midnight(first, zone) if first else None, midnight(last + timedelta(days=1), zone) if last else None)

    def address(self, **other: str) -> str:
        """The address of this search with other fields."""
        fields = {name: value for name, value in {**asdict(self), **other}.items() if value}
        return f"/desk/search?{urlencode(fields)}"


def read_asked(query: Mapping[str, str]) -> Asked:
    """What an address asks for."""
    return Asked(**{
        name: " ".join(str(query.get(name, "")).replace("\x00", " ").split())[:LONGEST]
        for name in Asked.__dataclass_fields__
    })  # fmt: skip


def _day(raw: str) -> date | None:
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        return None
    return day if 2000 <= day.year < 9000 else None
