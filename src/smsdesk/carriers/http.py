"""What an HTTP vendor is to the line that carries its requests, and what a person sets for any of them.

A vendor is a small pure class: it writes requests and reads answers and callbacks. The line alone touches a socket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from smsdesk.carriers.contract import Callback, CallbackRequest, Doubt, LookUp, MediaAccess, OutboundText, Outcome

Seconds = Annotated[float, Meta(gt=0)]
Url = Annotated[str, Meta(pattern=r"^https?://[^/\s?#]+[^\s#]*$")]
"""An address such as `https://api.example.com/v1`."""
UrlOrNone = Annotated[str, Meta(pattern=r"^(https?://[^/\s?#]+[^\s#]*)?$")]


class HttpConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that all HTTP lines have; times are in seconds. No secret is in the repr."""

    base_url: Url
    """Where the vendor's API is."""
    callback_url: UrlOrNone = ""
    """Where the vendor posts to, exactly as it sees it: `https://desk.example.com/callbacks/acme/upstream`. Signatures
    are checked against this and never against a Host or X-Forwarded header, so any proxy may stand in between. Empty:
    the vendor is told no address."""
    window: Annotated[int, Meta(ge=1, le=1000)] = 20
    """How many requests may be unanswered."""
    timeout: Seconds = 10.0
    """How long an answer is waited for before a text counts as doubtful."""
    connect_timeout: Seconds = 5.0
    throttle_first: Seconds = 1.0
    throttle_longest: Seconds = 60.0
    """How long the line rests after the vendor said to slow down, at first and at most. A Retry-After of the vendor's
    is kept up to the second."""
    reconnect_first: Seconds = 0.2
    reconnect_longest: Seconds = 30.0

    def __repr__(self) -> str:
        return f"{type(self).__module__}.Config(base_url={self.base_url!r})"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a vendor."""

    method: str
    url: str = field(repr=False)
    """As it goes on the wire: what must be escaped is."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A vendor's answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Unsendable(ValueError):
    """The vendor can never send this text."""

    def __init__(self, reason: str, code: str) -> None:
        """`reason` is one of `domain.outcome.REASONS`, such as `bad_sender` or `too_long`; `code` says why in words."""
        super().__init__(code)
        self.reason = reason
        self.code = code


class Vendor(Protocol):
    """One HTTP carrier's way of saying things: made with its Config, pure, told the time, no I/O."""

    def request(self, text: OutboundText, now: datetime) -> HttpRequest:
        """The request that sends a text. Raises Unsendable where the vendor can never send it."""

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """What the vendor's answer to `request` says. Only what is certainly not taken is Refused.

        ValueError where the answer is not in the vendor's own words, such as a proxy's page: then its HTTP status
        alone decides. Refused as `queue_full` without `retry_after` rests the whole line, which fills that in unless a
        part was taken; with it, this text alone waits. Refused as `carrier_error` with `retry_after` speaks of the
        account: unless the HTTP status is a 5xx, the line counts as down for a minute.
        """

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """The request that asks what became of a doubtful attempt; None where the vendor has no such question."""

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """What the answer to `look_up` says. ValueError where it cannot be read."""

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """What the vendor posted to us; raises Forged or Unreadable."""

    @property
    def most_media(self) -> int:
        """How many files `request` sends along with a text; 0 where it sends words alone."""

    def media_access(self) -> MediaAccess:
        """What opens the files that came with replies."""
