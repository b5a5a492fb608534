"""What all HTTP carriers share: requests out with a time limit, and what an answer, or none, says for certain.

A vendor is a small pure class: it writes requests and reads answers and callbacks. The engine alone touches a socket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from smsdesk.carriers.contract import Callback, CallbackRequest, Doubt, LookUp, OutboundText, Outcome


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a vendor."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A vendor's answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Vendor(Protocol):
    """One HTTP carrier's way of saying things: made with its Config, pure, no clock and no I/O."""

    def request(self, text: OutboundText) -> HttpRequest:
        """The request that sends a text. ValueError where the vendor can never send it; the text says why."""

    def outcome(self, text: OutboundText, answer: HttpAnswer) -> Outcome:
        """What the vendor's answer to `request` says. Only what is certainly not taken is Refused."""

    def look_up(self, doubt: Doubt) -> HttpRequest | None:
        """The request that asks what became of a doubtful attempt; None where the vendor has no such question."""

    def found(self, doubt: Doubt, answer: HttpAnswer) -> LookUp:
        """What the answer to `look_up` says."""

    def callback(self, request: CallbackRequest, now: datetime) -> Callback:
        """What the vendor posted to us; raises Forged or Unreadable."""
