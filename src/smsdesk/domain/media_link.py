"""Links to files that open without a password, until they expire.

A link is short, for it may stand in a text: numbers to the base 36, and half of an HMAC-SHA256 (128 bits).
"""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PATH = "/media/"
LINK_DAYS = 7
"""How long a link lives unless the tenant says otherwise: as long as those of the imitated product's transcripts."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(
    r"([0-9a-z]{1,13})-([0-9a-z]{1,13})-([0-9a-z]{1,13})-([0-9a-z]{1,6})-([\w-]{22})(?:\.[0-9a-z]{1,5})?"
)
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Named:
    """What a link names, and until when: nothing of it is believed before its proof."""

    tenant_id: int
    chat_id: int
    media_id: int
    hours: int
    """Since 1970."""
    proof: str

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.hours * _HOUR, UTC)


def make_token(key: bytes, what: tuple[int, int, int], now: datetime, days: int) -> str:
    """The token for (tenant, chat, file): good for so many days, up to the next full hour. Within an hour it stays the
    same, so that a page that is read again shows what it has."""
    hours = int((now + timedelta(days=days)).timestamp()) // _HOUR + 1
    said = "-".join(_written(number) for number in (*what, hours))
    return f"{said}-{_prove(key, said)}"


def read_token(token: str) -> Named | None:
    """What a token names; None for what is none. A suffix such as `.jpg` counts for nothing."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    tenant_id, chat_id, media_id, hours = (int(one, 36) for one in found.groups()[:4])
    if max(tenant_id, chat_id, media_id) >= 2**63:
        return None
    return Named(tenant_id, chat_id, media_id, hours, found[5])


def is_proven(key: bytes, named: Named) -> bool:
    """Whether the token was made with this key, in a time that tells nothing about it."""
    said = "-".join(_written(number) for number in (named.tenant_id, named.chat_id, named.media_id, named.hours))
    return hmac.compare_digest(_prove(key, said), named.proof)


def _prove(key: bytes, said: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, said.encode(), "sha256")[:16]).decode().rstrip("=")


def _written(number: int) -> str:
    digits = ""
    while number:
        number, last = divmod(number, 36)
        digits = _DIGITS[last] + digits
    return digits or "0"
