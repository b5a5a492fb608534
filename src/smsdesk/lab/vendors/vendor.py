"""What every HTTP vendor promises, whatever it speaks: `desk` knows vendors by this page alone."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from smsdesk.carriers.smpp.status import Status
from smsdesk.domain.segments import Segments
from smsdesk.lab.pictures import Attached
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.exchange import Answer, Callback, Request
from smsdesk.lab.vendors.message import Book, Message, Order, State


class Refusal(Enum):
    """Why a vendor does not take a text."""

    BUSY = auto()
    """Too many at once: try again in a moment."""
    DOWN = auto()
    """The vendor's own trouble: try again later."""
    BAD_SOURCE = auto()
    BAD_DESTINATION = auto()
    OPTED_OUT = auto()
    """This phone asked not to be texted, or is barred."""


_BY_STATUS: dict[int, Refusal] = {
    Status.RTHROTTLED: Refusal.BUSY,
    Status.RMSGQFUL: Refusal.BUSY,
    Status.RSYSERR: Refusal.DOWN,
    Status.RINVSRCADR: Refusal.BAD_SOURCE,
    Status.RINVDSTADR: Refusal.BAD_DESTINATION,
}


def refusal_of(command_status: int) -> Refusal:
    """What a fault's command_status is at an HTTP vendor; what has no counterpart is a barred phone."""
    return _BY_STATUS.get(command_status, Refusal.OPTED_OUT)


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that somebody typed at a handset, on its way to the customer."""

    number: int
    """Unique in the lab; the same when it comes again."""
    source: str
    destination: str
    body: str
    segments: Segments
    media: tuple[Attached, ...] = ()
    """What goes with it."""
    part: int = 0
    """Which of its parts goes out, from 1, at vendors that pass on each; 0 is the whole text."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One try of a callback."""

    url: str
    now: float
    """Seconds since 1970."""
    attempt: int = 1
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Retries:
    """When a callback that failed is sent again."""

    waits: tuple[float, ...] = ()
    """Seconds before each further try."""
    on: frozenset[str] = frozenset({"connect", "timeout", "3xx", "4xx", "5xx"})
    """What is tried again: no connection, no answer in time, an answer of such a class."""
    timeout: float = 15.0


class Vendor(Protocol):
    """One HTTP vendor's way of saying things: pure, no clock and no I/O."""

    @property
    def name(self) -> str:
        """What it is called in addresses, such as `twilio`."""

    @property
    def account_type(self) -> type[Account]:
        """What its customer sets up."""

    @property
    def by_part(self) -> bool:
        """Whether each part of a long reply comes as a callback of its own."""

    @property
    def carries_media(self) -> bool:
        """Whether replies may come with files."""

    def receive(self, request: Request, account: Any, book: Book) -> Order | Answer:
        """Reads what a customer asks: a text to send, or else the answer to a look-up or to what is wrong."""

    def message_id(self, number: int) -> str:
        """The vendor's name for text `number`."""

    def accepted(self, message: Message) -> Answer:
        """The answer to a text that was taken."""

    def refused(self, order: Order, refusal: Refusal) -> Answer:
        """The answer to a text that was not taken."""

    def status(self, message: Message, state: State, account: Any, sending: Sending) -> list[Callback]:
        """The callbacks that tell of a text's new state; none where the vendor is silent about it."""

    def inbound(self, reply: Inbound, account: Any, sending: Sending) -> Callback:
        """The callback that brings a handset's text, or one part of it."""

    def retries(self, url: str, account: Any) -> Retries:
        """When callbacks to `url` are sent again."""
