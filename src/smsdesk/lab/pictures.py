"""Pictures and other files that people send from handsets: where their vendor's customer finds them."""

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count

from smsdesk.domain.media import MediaRefused, sniff

_MOST_OCTETS = 256_000_000


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a reply. One that the lab keeps is at `base` and under `number`; `url` names another."""

    content_type: str
    base: str = ""
    """The lab's own address, without a slash at its end."""
    number: int = 0
    elsewhere: str = ""

    @property
    def url(self) -> str:
        """Where anybody finds it."""
        return self.elsewhere or f"{self.base}/media/{self.number}"

    def within(self, path: str) -> str:
        """Where a vendor that asks for a password has it: the address of `path` at the lab, its number behind it."""
        return self.elsewhere or f"{self.base}{path}/{self.number}"


def content_type_of(content: bytes) -> str:
    """What a file is; the lab sends anything."""
    try:
        return sniff(content).content_type
    except MediaRefused:
        return "application/octet-stream"


@dataclass(slots=True)
class Shelf:
    """The files that the lab keeps: the last ones, some 256 MB in all."""

    _kept: OrderedDict[int, bytes] = field(default_factory=OrderedDict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _octets: int = 0

    def put(self, content: bytes) -> int:
        """Keeps a file under a number."""
        number = next(self._numbers)
        self._kept[number] = content
        self._octets += len(content)
        while self._octets > _MOST_OCTETS:
            _, oldest = self._kept.popitem(last=False)
            self._octets -= len(oldest)
        return number

    def get(self, number: int) -> bytes | None:
        """The file of this number."""
        return self._kept.get(number)
