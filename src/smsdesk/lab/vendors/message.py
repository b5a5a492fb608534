"""The texts that a vendor took, as it shows them to its customer."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from smsdesk.domain.segments import Segments

State = Literal["queued", "sent", "delivered", "undelivered", "expired", "rejected"]
FAILED: tuple[State, ...] = ("undelivered", "expired", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a customer asked for: one text to one phone. Numbers are E.164 with the plus, or as they came."""

    system: str
    """Who asked, in the vendor's terms, such as an account SID."""
    source: str
    destination: str
    segments: Segments
    body: str
    status_url: str = ""
    media: tuple[str, ...] = ()
    """The addresses of what goes with it."""
    reference: str = ""
    """The customer's own mark, given back in callbacks."""
    receipts: int = 0
    """Which receipts are asked for, at vendors where that is a bit mask."""


@dataclass(slots=True)
class Message:
    """One text that a vendor took."""

    id: str
    number: int
    """Unique in the lab: what `id` is made of."""
    order: Order
    created_at: float
    """Seconds since 1970."""
    updated_at: float
    state: State = "queued"
    error: str = ""
    """The network's error where the text failed, three hexadecimal digits."""


class Book:
    """A vendor's texts: the last `limit` of them, by id and by phone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_id: OrderedDict[str, Message] = OrderedDict()
        self._by_phone: dict[str, deque[Message]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def keep(self, message: Message) -> None:
        """One more; the oldest goes where there is no room."""
        self._by_id[message.id] = message
        self._by_phone.setdefault(message.order.destination, deque()).append(message)
        if len(self._by_id) > self._limit:
            _, oldest = self._by_id.popitem(last=False)
            phone = self._by_phone[oldest.order.destination]
            phone.popleft()
            if not phone:
                del self._by_phone[oldest.order.destination]

    def find(self, message_id: str) -> Message | None:
        """The text of that id."""
        return self._by_id.get(message_id)

    def latest(
        self,
        destination: str | None = None,
        source: str | None = None,
        after: float = 0.0,
        before: float = float("inf"),
    ) -> Iterator[Message]:
        """The texts that were taken between two times, the latest first; to and from those numbers where given."""
        among = self._by_id.values() if destination is None else self._by_phone.get(destination, ())
        for message in reversed(among):
            if source in (None, message.order.source) and after <= message.created_at <= before:
                yield message

    def clear(self) -> None:
        """Forgets all."""
        self._by_id.clear()
        self._by_phone.clear()
