"""The bytes of the requests that a load run sends."""

import base64
import json

from smsdesk.domain.phone import read_number

PATH = "/apps/api/v1/sms"


class SendRequests:
    """Makes the n-th `POST /apps/api/v1/sms` of a run, each to a consumer of its own, so that no session collides.

    Consumers are numbers 555-0000 to 555-9999 of US areas, some two million; after them they repeat. They are for a lab
    line: on a real one a few of them may ring.
    """

    def __init__(
        self,
        host: str,
        credential: tuple[str, str],
        outbound_number: str,
        *,
        message: str = "Your order is ready.",
        first: int = 0,
        idempotency_keys: str = "",
    ) -> None:
        """`credential` is subdomain and token; `first` moves to other consumers; `idempotency_keys` is a prefix of at
        most 240 characters for an Idempotency-Key on each request, none where it is empty."""
        self._first = first
        self._areas = [
            str(area).encode() for area in range(200, 800) if area // 100 != 5 and _is_us(f"+1{area}5550100")
        ]
        self.consumers = len(self._areas) * 10_000
        before, after = _body(outbound_number, message)
        basic = base64.b64encode(":".join(credential).encode()).decode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(before) + 10 + len(after)}\r\n"
        ).encode()
        self._key = f"Idempotency-Key: {idempotency_keys}".encode() if idempotency_keys else b""
        self._head, self._before, self._after = head, b"\r\n" + before, after

    def __call__(self, number: int) -> bytes:
        """The whole request, ready for the socket."""
        place = self._first + number
        area = self._areas[place // 10_000 % len(self._areas)]
        key = b"%b%d\r\n" % (self._key, place) if self._key else b""
        return b"%b%b%b%b555%04d%b" % (self._head, key, self._before, area, place % 10_000, self._after)


def _body(outbound_number: str, message: str) -> tuple[bytes, bytes]:
    """The JSON body before and after the ten digits of the consumer."""
    values = {"chat_type": "Messaging (SMS)", "end_user_number": "+1\0", "outbound_number": outbound_number}
    before, after = json.dumps({**values, "message": message}, ensure_ascii=False).split("\\u0000", 1)
    return before.encode(), after.encode()


def _is_us(number: str) -> bool:
    return isinstance(read_number(number), str)
