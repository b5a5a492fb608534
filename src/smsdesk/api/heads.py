"""Heads of requests that were read before. A client's requests differ in their bodies; line and headers stay, and bytes
that are the same read the same (docs/adr/0037-serving.md)."""

from typing import NamedTuple

from smsdesk.api.http import Request

MOST_KNOWN, LONGEST = 256, 1024
"""Heads, and bytes of one: a quarter of a megabyte, and their headers once more."""
END = b"\r\n\r\n"
PASSING = frozenset({b"idempotency-key"})
"""Headers that are others in each request: a head that has one is not met again."""


class Known(NamedTuple):
    """What a head said."""

    request: Request
    length: int
    """Bytes of the body."""

    def request_of(self, data: bytes) -> Request:
        """The request that `data` is."""
        return self.request.again(data[len(data) - self.length :])


class Heads:
    """Of whole requests to the quick route, on connections that stay."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def find(self, data: bytes) -> Known | None:
        """The head, where `data` is one request with its body, no less and no more, and its head is known."""
        end = data.find(END) + 4
        known = self._known.get(data[:end])
        return known if known is not None and len(data) - end == known.length else None

    def learn(self, data: bytes, request: Request) -> None:
        """Keeps a head, where `data` is nothing but this request, and its body came as it is."""
        head, end, body = data.partition(END)
        if body != request.body or len(head) > LONGEST or not PASSING.isdisjoint(request.headers):
            return
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[head + end] = Known(request, len(body))
